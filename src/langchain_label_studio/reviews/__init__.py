"""Reviews: what people said of the runs, read back from Label Studio."""

from langchain_label_studio.review import Candidate, Preference, Rating, Review, StepVerdict
from langchain_label_studio.reviews.loading import load_reviews

__all__ = ["Candidate", "Preference", "Rating", "Review", "StepVerdict", "load_reviews"]
