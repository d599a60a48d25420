"""What a WSGI server serves: ``granian --interface wsgi wsgi:app``."""

from hub.app import create_app

app = create_app()
