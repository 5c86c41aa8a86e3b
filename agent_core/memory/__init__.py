"""What is remembered of a session, apart from the conversation: attempts, decisions, landings, edits, words.

`records` are kept in the state as events come in, `recollection` makes the memory of them, and of whatever else the
state has. Nothing here is a part of the prompt: it outlives every compaction.
"""
