"""What ``--help`` tells of each command below its options: what it does, examples, exit codes."""

from __future__ import annotations

EXEC = """The working tree changes only in mode auto, and only when all is green; else open pairloop in the project to
review what it found.

examples:
  pairloop exec "tests/test_split.py fails: mend it"
  pairloop exec --mode auto --commit "Say in README how to run the tests"
  pairloop exec --mode auto --worktree=mend-split --json - < task.md

exit codes:
  0 green (and landed, in mode auto)     3 the partner could not be reached or refused
  1 not green                            4 your own edits or git are in the way; nothing was written
  2 usage or configuration               130 interrupted
  5 nothing known to be broken, but a check could not run; nothing was landed
  6 a budget is used up, and there is nobody to allow more"""

FIX = """Without a model: repairs are looked for by search, and one with which the tests pass is proposed, checked and
decided on as any proposal. Nothing lands but with --yes, and only when all is green; else open pairloop in the project
to review it. TEST is the id of a test, a test file, or the name of a test function; without one it is whatever fails.

examples:
  pairloop fix                              what is red, the tests first
  pairloop fix tests/test_prices.py --yes   make these pass, and land that
  pairloop fix --dry-run --all              all repairs that were found, and where they differ
  pairloop fix --kind types                 what mypy finds

exit codes:
  0 a repair that is green (and landed, with --yes), or there is nothing to mend
  1 no repair was found, and why         4 your own edits or git are in the way; nothing was written
  2 usage or configuration               130 interrupted
  5 a check could not run; nothing was landed"""

APPLY = """The patch is an apply_patch envelope, SEARCH/REPLACE blocks or a unified diff, also with words and fences
around it, in UTF-8. Its paths are relative to the current folder (with --project: to that one) and may not leave the
project. All of it is applied, or nothing is written.

examples:
  git diff main | pairloop patch apply --project ../other-clone
  pairloop patch apply --check --json < answer.txt
  pairloop patch apply --base HEAD~3 --only src/app.py < old.diff

exit codes:
  0 applied (with --check: would apply)  2 usage, or no such revision
  1 refused or there already, nothing written
  3 newer changes or git are in the way, or a file cannot be written; nothing written"""

CHECK = """The working tree is compared with HEAD: what it broke, what it fixed, what was red before. Without a commit
to compare with, everything found is told. PATHS restrict what is told, and what counts.

examples:
  pairloop check                     all checks, against HEAD
  pairloop check --base main src     against main, and only what is in src
  pairloop check --stage first       syntax and ruff alone, which answer at once
  pairloop check --watch             again after every save; ctrl+c ends it
  pairloop check --list              what runs here, and why

exit codes:
  0 nothing broken                       2 usage or configuration
  1 something broken                     130 interrupted
  5 nothing known to be broken, but a check could not run (missing, crashed, out of time)"""

UNDO = """What you changed since stays. Landings can be undone in any order.

examples:
  pairloop undo         the last landing that stands
  pairloop undo 12      landing 12, as `pairloop log` numbers them

exit codes:
  0 done                                 2 usage
  1 there is no such landing to undo
  3 newer changes or git are in the way, or a file cannot be written; nothing written"""

REDO = """examples:
  pairloop redo         what was undone last
  pairloop redo 12      landing 12, which was undone

exit codes:
  0 done                                 2 usage
  1 there is no such landing to redo
  3 newer changes or git are in the way, or a file cannot be written; nothing written"""

LOG = """examples:
  pairloop log -n 5                              the last five landings
  pairloop log -p 12                             landing 12 with its diff
  pairloop log --json                            one JSON object a line and landing
  pairloop log --prompts                         what was sent to the partner in the session used last
  pairloop log --prompts 7 --session 20260301    request 7 of that session, with what was new in it in full

exit codes:
  0 told                                 2 usage
  1 there is no such landing or session"""

COMMIT = """Only the lines that landed are committed: what else you have changed or staged stays as it is, in the same
files too. Your hooks run. Without -m the partner writes the message in the style of your log; in a terminal your editor
opens with it.

examples:
  pairloop commit                    the last landing that is not committed yet
  pairloop commit 12 -m "Sum all"    landing 12, as `pairloop log` numbers them
  pairloop commit --show             the message alone; nothing is committed

exit codes:
  0 committed (with --show: told)        2 usage or configuration
  1 there is nothing to commit
  3 a hook refused, or what landed cannot be told from your own changes; nothing committed"""

EXPORT = """What was said, what was proposed as diffs, what the checks said, what you decided and why, what landed.
Secrets that the environment or their form betrays are masked.

examples:
  pairloop export > session.md                     the session used last
  pairloop export 20260301 --format json           the one whose id begins so, as one JSON object
  pairloop export 20260301-1042 -o review.md

exit codes:
  0 written                              2 usage or configuration
  1 there is no such session, or the file cannot be written"""

MEMORY = """Lessons are what is worth knowing in later sessions: what pairloop found and you agreed to, or a green
landing bore out, and what you taught. They are kept in .pairloop/memory.md, where you may change them, too; git leaves
that file out unless you share it.

examples:
  pairloop memory                                  all of them, those that wait for your word first
  pairloop memory search database url              those with these words in them, the best first
  pairloop memory add "Tests need DATABASE_URL."   one of your own
  pairloop memory keep fix-ca97                    agree to one, by its id or the beginning of it
  pairloop memory forget fix-ca97                  have it neither kept nor proposed again
  pairloop memory share                            have git take the file along

exit codes:
  0 done                                 2 usage or configuration
  1 there is no such lesson, or the file cannot be written"""

MCP = """Servers are set up in your own config.toml, as [mcp.NAME] with command or url; a project cannot bring any. They
run outside the sandbox, with your files and network, and get no secret of your environment that env does not name. Each
call of their tools is asked about, unless a rule of [permissions] allows it.

examples:
  pairloop mcp                 the servers that are configured
  pairloop mcp test            start all of them, and list their tools
  pairloop mcp test files      only the one named files

exit codes:
  0 done                                 2 usage or configuration, or no such server
  1 a server cannot be used"""

PERMISSIONS = """A rule is ACTION PATTERN: run, fetch or mcp, and what of it, a * standing for anything. What you keep
when you are asked is kept for this project on this machine; the configuration's rules are in [permissions]. What is
denied goes before what is asked, and that before what is allowed.

examples:
  pairloop permissions                          list them
  pairloop permissions list --json              one JSON object a line
  pairloop permissions rm "run pytest *"        be asked again

exit codes:
  0 done                                 2 usage or configuration
  1 there is no such rule, or the file cannot be read or written"""

USAGE = """Tokens and cost as the partners counted them, from the sessions of all projects on this machine. Cached is
what came from the provider's cache, and is part of input; reasoning is part of output. A cost with a + is the least
that it can have been: the price of some requests is not known.

examples:
  pairloop usage                     by day and model
  pairloop usage --days 7            the last seven days
  pairloop usage --by project        what each project took; or model, or session
  pairloop usage --json              one JSON object a line

exit codes:
  0 told                                 2 usage
  1 nothing was spent"""

KEY = """A key is looked for in the environment, then in the system keyring, then in keys.toml beside config.toml, which
nobody but you may read. It is never taken from the command line, where others could see it, and never shown.

examples:
  pairloop key set                   asks for the key of the partner in use
  pairloop key set openrouter        of another partner
  pass show openai | pairloop key set --file
  pairloop key list                  which there are, and where
  pairloop key rm openrouter

exit codes:
  0 done                                 2 usage or configuration
  1 nothing was typed, or there is no such key"""

SESSIONS = """examples:
  pairloop sessions            the sessions of this project, the one used last first
  pairloop sessions --json     one JSON object a line and session
  pairloop --resume            opens one of them

exit codes:
  0 told                                 2 usage or configuration"""

ACP = """An editor starts this and talks with it over standard input and output: Zed, JetBrains IDEs, Neovim with
CodeCompanion or Avante, Toad. Its proposals are the editor's diffs; nothing is written before you allow it there, or
choose the mode auto. The editor says which project it is about. What you write while a proposal waits goes to the
partner; /reject WHY, /undo and others are offered behind the slash.

examples:
  {"agent_servers": {"pairloop": {"type": "custom", "command": "pairloop", "args": ["acp"]}}}
                                       in Zed's settings.json
  {"agent_servers": {"pairloop": {"command": "pairloop", "args": ["acp", "--mode", "until-green"]}}}
                                       in ~/.jetbrains/acp.json
  toad acp "pairloop acp"              Toad

exit codes:
  0 the editor has gone                  2 usage, or no editor there"""

MODELS = """Servers are asked for what they have: yours, those for which there is a key, and those that listen on the
usual ports of this machine. Windows and prices are told where they are known.

examples:
  pairloop models                        all that can be used, and what is missing for the rest
  pairloop models --partner ollama       what Ollama has
  pairloop models --json                 one JSON object a line and partner
  pairloop --partner ollama --model qwen3-coder      begins with that one

exit codes:
  0 told                                 2 usage or configuration
  1 no partner can be used"""
