"""Label configs that several tests need."""

OLD_DOCUMENTATION = """
<View>
<Text name="prompt" value="$prompt"/>
<TextArea name="response" toName="prompt"/>
<TextArea name="user_feedback" toName="prompt"/>
<Rating name="rating" toName="prompt"/>
<Choices name="sentiment" toName="prompt">
    <Choice value="Positive"/>
    <Choice value="Negative"/>
</Choices>
</View>
"""

RAG_TEMPLATE = """
<View>
<Text name="question" value="$question"/>
<TextArea name="response" toName="question"/>
<List name="results" value="$similar_docs" title="Documents"/>
<Ranker name="rank" toName="results">
<Bucket name="relevant" title="Relevant"/><Bucket name="non_relevant" title="Not relevant"/>
</Ranker>
<Choices name="faithfulness" toName="question"><Choice value="yes"/><Choice value="no"/></Choices>
</View>
"""
"""Label Studio's template for RAG, with a place for the answer: documents are dragged into buckets."""
