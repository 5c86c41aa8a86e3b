"""MCP servers as a source of tools: servers started, their tools offered and called.

``source`` is what a session is given; ``server`` is one server and its life, over ``stdio`` or HTTP; ``schemas`` and
``wording`` bring what servers say into forms that providers take and humans can read; ``command`` is ``pairloop mcp``.

Servers are the human's own choice (``[mcp.NAME]`` of their configuration), but what they say is untrusted. They run
outside the sandbox, as editors run them, and see neither the partner's keys nor any other secret of the environment
that they are not given by name.
"""
