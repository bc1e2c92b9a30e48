"""The intake agent: takes name, company, ticket and problem, without any model."""
