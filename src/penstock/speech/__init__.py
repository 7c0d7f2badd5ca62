"""What is said in a recording: words and sounds with their times."""
