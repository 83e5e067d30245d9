"""A local Azure ML: batch endpoints, jobs and identity over HTTP, with the deployments really run."""
