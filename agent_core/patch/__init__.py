"""What is proposed: patches read, placed, applied, taken in part, and carried over. Nothing in here writes to the disk.

From a text to what it asks for:

- ``read`` (a patch), ``find`` (the patches in prose), ``scan`` (the same while it streams), ``stream`` (out of
  half-written JSON); all walk the lines by ``walk``, with ``patch_lines``;
- each format: ``find_envelope``, ``find_blocks``, ``find_unified`` know where one begins and ends,
  ``parse_envelope``, ``parse_blocks`` (with ``path_line``), ``parse_unified`` (with ``diff_names``) what it says;
  ``whole`` (while it streams ``whole_scan``): files that are sent whole; ``arguments``: what other editing tools are
  called with, as a patch;
- ``formats`` names the formats, ``operations`` what comes out of them; ``nameless`` finds the file of one that names
  none.

From a hunk to its place in a file:

- ``fit`` puts all hunks of a file in or none: ``locate`` finds places in a ``document``, level by level (``levels``,
  at last ``blanks`` and ``similar``, by ``align``), within the ``scopes`` that ``@@`` names and the ``order`` of the
  hunks;
- ``place`` is what is found, ``indentation`` how deep new lines stand there (``unsigned``: beside lines that have lost
  their sign), ``rebuild`` the text it makes, ``closest`` what to tell where nothing was found.

From operations to changes of a tree:

- ``apply`` does all of them or none: on a ``stage``, with its ``names``, within ``paths`` and ``limits``; ``report``
  says what became of each.

From changes to what is shown and decided on:

- ``model`` has files, blocks and their ids; ``diff`` makes it from contents (``line_diff``, ``encoding``) and writes
  it out;
- ``select`` takes a part (``choices`` says which; ``pairing``, ``between``), ``rebase`` goes over a newer base
  (``overlap``; ``settling``: where both sides meet, what somebody chose), both by ``splice``.
"""
