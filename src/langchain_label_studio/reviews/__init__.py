"""Reviews from Label Studio: `load_reviews`."""

from langchain_label_studio.reviews.load import load_reviews
from langchain_label_studio.types.review import Candidate, Preference, Rating, Review, StepVerdict

__all__ = ["Candidate", "Preference", "Rating", "Review", "StepVerdict", "load_reviews"]
