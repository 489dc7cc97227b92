"""What Salt finds by the entry point ``salt.loader``: an execution module, a state and a renderer.

Salt loads the files in these folders itself, and gives them ``__salt__``, ``__states__`` and ``__opts__``.
"""
