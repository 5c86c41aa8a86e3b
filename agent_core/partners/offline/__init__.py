"""The built-in partner: repairs by search, with no key and no network.

It is a `agent_core.protocols.Model` like any other, so what it proposes goes the way of every proposal. It understands
no words: what it does follows from a few plain ones, from names that exist in the project, and from what came back for
what it did before. All it knows stands in the conversation, so a session goes on rightly when it is resumed.

- ``partner`` answers requests; ``next_step`` decides, out of
- ``heard``: what has been said to it since its last answer, ``wishes``: what of that it can do, ``offered``: the
  repairs it has found and not proposed yet, which travel in its own calls, and ``choice``: which of them is meant;
- ``patches`` writes a repair as a patch; ``talk`` has its sentences; ``asides``: what it says beside the conversation.
"""
