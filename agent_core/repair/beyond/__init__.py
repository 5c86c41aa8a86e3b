"""Repairs of what tests do not tell: what the checks find is mended, and the checks say whether it is.

Where what is::

    nearest                    names that were perhaps meant
    tokens  slips  bench       broken text as words and signs; a slip that may have been made; text with its first fault
    syntax                     the search: slips undone until the whole file can be parsed; its slips come from
      words  brackets  quotes    keywords and older Pythons, brackets and commas, strings
      indents  conflicts         indentation, merge conflicts; oddness: how odd it reads then
      placement                  what can be parsed and not compiled: await, return, arguments in a wrong order
      any_token                  at last: any token put in, left out, exchanged
    places  imports            what is visible at a line; modules and their names; import_lines: an import put in
    names                      undefined names, imports that find nothing
    types                      findings of mypy: optionals  annotations  containers  calls; writing: types as text
    renames                    a name that is another in one place than in others, over all files; committed: as it was
    mending  mending_syntax    all of that tried by the checks themselves; kinds: of which kind a finding is
      judging  settling          a tree judged, compared with before; which changes are good together
"""
