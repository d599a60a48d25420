"""Every environment variable, read once. ``.env.example`` lists them with their meaning."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from hub.contract.errors import ConfigError

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Settings:
    """One installation's settings. Paths are absolute; durations are seconds; sizes are bytes."""

    data_dir: Path
    database_url: str
    redis_url: str
    base_url: str
    secret_key: str
    allow_addresses: tuple[str, ...]
    outgoing_proxy: str
    host: str
    port: int
    proxies: int
    web_processes: int
    web_threads: int
    workers: int
    max_body: int
    max_waiting: int
    sweep_seconds: int
    lease_seconds: int
    log_level: str

    @property
    def embedded_redis(self) -> bool:
        """Whether ``hub up`` starts a Redis of its own."""
        return self.redis_url.startswith("unix://") and self.redis_socket.parent == self.data_dir

    @property
    def redis_socket(self) -> Path:
        return Path(self.redis_url.removeprefix("unix://").partition("?")[0])

    @property
    def backups(self) -> Path:
        """Where the copies before an upgrade and a restore are kept, and the journal of who asked to be left alone."""
        return self.data_dir / "backups"

    def allowed(self, address: str, port: int) -> bool:
        """Whether the owner of this installation allows calls to a private ``address`` (an IP) and ``port``."""
        return any(_matches(entry, address, port) for entry in self.allow_addresses)


class _Environment(Schema):
    class Meta:
        unknown = EXCLUDE

    data_dir = fields.String(data_key="HUB_DATA_DIR", load_default="data")
    database_url = fields.String(data_key="DATABASE_URL", load_default="")
    redis_url = fields.String(data_key="REDIS_URL", load_default="")
    base_url = fields.Url(data_key="HUB_BASE_URL", load_default=None, require_tld=False, schemes={"http", "https"})
    secret_key = fields.String(data_key="HUB_SECRET_KEY", load_default="")
    allow_addresses = fields.String(data_key="HUB_ALLOW_ADDRESSES", load_default="")
    outgoing_proxy = fields.Url(
        data_key="HUB_OUTGOING_PROXY",
        load_default="",
        require_tld=False,
        schemes={"http", "https", "socks5", "socks5h"},
    )
    host = fields.String(data_key="HUB_HOST", load_default="127.0.0.1")
    port = fields.Integer(data_key="HUB_PORT", load_default=8000, validate=validate.Range(1, 65535))
    proxies = fields.Integer(data_key="HUB_PROXIES", load_default=0, validate=validate.Range(0, 5))
    web_processes = fields.Integer(data_key="HUB_WEB_PROCESSES", load_default=1, validate=validate.Range(1, 64))
    web_threads = fields.Integer(data_key="HUB_WEB_THREADS", load_default=32, validate=validate.Range(1, 512))
    workers = fields.Integer(data_key="HUB_WORKERS", load_default=2, validate=validate.Range(1, 64))
    max_body = fields.Integer(data_key="HUB_MAX_BODY", load_default=1_048_576, validate=validate.Range(1024))
    max_waiting = fields.Integer(data_key="HUB_MAX_WAITING", load_default=4096, validate=validate.Range(16))
    sweep_seconds = fields.Integer(data_key="HUB_SWEEP_SECONDS", load_default=5, validate=validate.Range(1, 60))
    lease_seconds = fields.Integer(data_key="HUB_LEASE_SECONDS", load_default=8, validate=validate.Range(2, 600))
    log_level = fields.String(
        data_key="HUB_LOG_LEVEL", load_default="INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Settings:
        data_dir = Path(data["data_dir"]).expanduser().resolve()
        data["data_dir"] = data_dir
        data["database_url"] = _database_url(data["database_url"], data_dir)
        data["redis_url"] = data["redis_url"] or f"unix://{data_dir / 'redis.sock'}"
        data["base_url"] = (data["base_url"] or f"http://{data['host']}:{data['port']}").rstrip("/")
        data["secret_key"] = data["secret_key"] or _key_file(data_dir / "secret.key")
        data["allow_addresses"] = tuple(part.strip() for part in data["allow_addresses"].split(",") if part.strip())
        if data["web_processes"] > 1 and data["database_url"].startswith("sqlite"):
            raise ValidationError(
                "SQLite takes one web process: two would wait on each other's locks.", "HUB_WEB_PROCESSES"
            )
        return Settings(**data)


def load_settings(environment: dict[str, str] | None = None) -> Settings:
    """Read ``environment`` (default: the process's). Raises ConfigError with one sentence per wrong variable."""
    values = dict(os.environ if environment is None else environment)
    try:
        settings: Settings = _Environment().load({name: value for name, value in values.items() if value != ""})
    except ValidationError as error:
        messages: dict[str, list[str]] = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow leaves it untyped
        lines = "; ".join(f"{name}: {' '.join(map(str, problems))}" for name, problems in messages.items())
        raise ConfigError(f"The environment is not usable: {lines}. See .env.example.") from None
    for entry in settings.allow_addresses:
        _network(entry)
    return settings


@lru_cache(maxsize=1)
def settings() -> Settings:
    """This process's settings. Tests and ``hub up`` call :func:`load_settings` and ``settings.cache_clear()``."""
    return load_settings()


def _database_url(url: str, data_dir: Path) -> str:
    if not url:
        return f"sqlite:///{data_dir / 'hub.db'}"
    # Hosting platforms hand out postgres://, which SQLAlchemy reads as another driver's name.
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigError("DATABASE_URL must start with sqlite:/// or postgresql://.")
    return url


def _key_file(path: Path) -> str:
    """The installation's key, made on first use with mode 600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(descriptor)
    return path.read_text().strip()


def _network(entry: str) -> tuple[Network, int | None]:
    """``10.0.0.0/8``, ``127.0.0.1:9000`` or ``[::1]:9000`` as a network and a port (None: any)."""
    host, _, port = entry.rpartition(":") if "]:" in entry or entry.count(":") == 1 else (entry, "", "")
    try:
        return ip_network(host.strip("[]"), strict=False), int(port) if port else None
    except ValueError:
        raise ConfigError(f"HUB_ALLOW_ADDRESSES: {entry!r} is not an address, network or address:port.") from None


def _matches(entry: str, address: str, port: int) -> bool:
    network, allowed_port = _network(entry)
    try:
        return ip_network(address)[0] in network and allowed_port in (None, port)
    except (ValueError, TypeError):
        return False
