"""What people are told: comments on pull requests, commit statuses, chat messages."""
