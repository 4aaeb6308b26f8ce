"""What both downstream tasks have in common, whatever is asked of the music."""
