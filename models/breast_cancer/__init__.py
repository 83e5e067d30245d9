"""Whether a breast mass is malignant, from ten measurements of its cell nuclei: an MLflow model."""
