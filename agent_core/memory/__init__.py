"""What is remembered of a session, apart from the conversation: attempts, decisions, landings, edits, words.

`records` are kept in the state as events come in, `recollection` makes the memory of them, and of whatever else the
state has. Nothing here is a part of the prompt: it outlives every compaction.

And what is remembered over sessions: `lessons` in their form, found by `lesson_finding` in what happens, kept in a
`lesson_book`, which is a database (`lesson_store`) and a file of the project's that humans write in (`lesson_file`).
"""
