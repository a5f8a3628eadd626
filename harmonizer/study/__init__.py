"""The paper's two studies with people: what is asked, the answers as they come, and what they say."""
