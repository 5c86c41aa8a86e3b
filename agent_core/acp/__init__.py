"""``pairloop acp``: the engine for editors that speak the Agent Client Protocol, over standard input and output.

The protocol is https://agentclientprotocol.com, version 1: JSON-RPC, a message a line. A session of the protocol is a
session of pairloop, by the same id. What goes where:

    serve       the process: streams, signals, an orderly end
    wire        messages on the line, whatever else comes along it
    agent       the methods an editor calls
    talk        one session: events become updates, what waits becomes a question, a prompt becomes a turn
    telling     an event as updates; told_work, told_checks, diffs, words: its parts
    outbox      updates on their way, no more of them than the editor can take
    asking      what waits for the human as a request for permission, and the answer as a command
    prompts     what a prompt holds, as words; slash: commands in it
    settings    modes and partners to choose from
    buffers     what stands unsaved in the editor, over which nothing lands
"""
