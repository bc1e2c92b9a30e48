"""The connections under the application: uvicorn's, with bounds."""
