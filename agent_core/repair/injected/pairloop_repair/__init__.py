"""Runs a project's tests as they are and with variants of the program, in forks.

PYTEST_DONT_REWRITE

Run by the project's own Python, 3.8 and later, with its own pytest, 7 and later: standard library only. Nothing is
installed; `agent_core.repair.forking` starts it in a candidate and says what is wanted on standard input. Beside it
lies the plug-in of the test check, some of which it uses.

The process that is started (`driver`) runs no code of the project: it forks what does, tells what that said on a
private pipe, and outlives whatever tests do. Who forks whom::

    driver    -> a session that looks: collects, runs the tests one after the other          looking
                 what that starts tells which lines it executes                              children, child
              -> a server: collects once, then forks a child a variant, which swaps code      server, swap
              -> a child a variant that collects with the edited text in place                trial, loading
              -> a session that records calls, then forks a child a variant                   behaving, near

"""
