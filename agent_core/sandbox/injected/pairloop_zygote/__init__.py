"""The server of warm runs: imports modules once, and forks a shut-in process for each command.

Run by the project's Python, so: standard library only, and no syntax of later versions than 3.8. It makes itself
namespaces of its own, imports what it was told to, and waits. For each request it forks a process that is the first one
of a new process namespace, mounts that request's tree in a new mount namespace, gives up its rights and forks the
command; when the command has ended the first process goes, and with it whatever the command left behind.

The command runs in ``__main__`` of that process and ends as in any Python: threads are waited for, exit handlers run,
streams are flushed; only modules are not taken apart, so that what is still alive then has no ``__del__`` called. See
`agent_core.sandbox.zygote` for the other end and for what is sent.
"""
