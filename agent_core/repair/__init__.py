"""Repairs found by search, without a model: where a program may be wrong, what it may have meant, what the tests say.

The words of this folder are those of the field (automated program repair):

=========  =============================================================================================
suspect    a line that may be wrong, with how likely that is
variant    one way in which the program could be changed: edits of its text
template   makes variants of one kind, such as another comparison operator, at any place of any program
trial      what the tests said of one variant
repair     a variant that all the tests pass with; several that behave alike are one repair
=========  =============================================================================================

Where what is::

    model             the types
    source            a file as text, tree and positions: what templates read (``spans``)
    project           what is known of the other files: names, attributes, signatures
    templates/        variants by kind; its __init__ says what they are
    ground            the tree that is searched in, and who judges it
    finder            what is looked for, one kind after the other: by ``standing`` checks (``asked``, ``objecting``),
                      in files that are ``changeable``, by one ``clock``; ``afresh`` where files change meanwhile
    testing           failing tests, or those that are ``named``: looked at (``ahead`` of the check), searched for,
                      compared, told (``edited``, ``partial``)
    localise          runs of tests -> suspects; ``mentioned``: entries of tables
    lab               trying variants out: the seam. ``forking`` (``fork_wire``): a process in a candidate has imported
                      the tests, and forks; ``spawned``: a process a variant, where forks are not safe
    injected/         what that process runs; standalone, as it runs in the project's own Python
    search            suspects x templates -> trials -> repairs: a ``hunt`` for each fault, in their ``ordering``, by
                      ``batches``, then in ``pairs``; ``others``: the tests that pass; ``assembling``;
                      ``aim``, ``hearing``
    behaviour  rank   which repairs behave alike, on which input they differ; which comes first
    words             repairs in words, for a human
    beyond/           what tests do not tell: syntax, names, types, partial renames
    desk              repairs of one session's project, for whoever wants some
"""
