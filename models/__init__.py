"""Sample models: each folder holds what trains, scores and deploys one."""
