"""The nouns of the forest as plain values, shared by every floor."""
