"""Models, their endpoints and what they need, made in an Azure ML workspace through its SDK (azure-ai-ml 1.35.2)."""
