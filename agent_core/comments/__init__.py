"""Comments in the code that are words to the partner: ``AI!`` has something done, ``AI?`` has a question answered.

``signs`` and ``lexed`` find the comments of a text, ``find`` those that carry a marker and what belongs together,
``news`` which of them somebody has just written, ``removal`` takes them out again with what was proposed for them,
``listening`` brings it all into the session.
"""
