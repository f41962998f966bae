"""Reviews: what people said of the runs, read back from Label Studio."""

from langchain_label_studio.reviews.loading import load_reviews
from langchain_label_studio.reviews.review import Candidate, Preference, Rating, Review

__all__ = ["Candidate", "Preference", "Rating", "Review", "load_reviews"]
