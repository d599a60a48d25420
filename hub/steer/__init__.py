"""What people do, used alike by the web pages, the REST API and the ``hub`` command. One file a noun.

A function takes the transaction first and never commits; bad input raises :class:`hub.steer.errors.Invalid`, a thing
that is not there :class:`hub.steer.errors.NotFound`. Waking the workers after the commit is the caller's part.
"""
