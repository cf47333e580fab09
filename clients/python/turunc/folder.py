"""Key folders, as `masa client add NAME --out DIR` makes them: client.secret, client.public,
publish.public and stream.public (or one server.public for both), and endpoints."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Union

from turunc.errors import KeyFolderError

_Z85 = frozenset(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)


_SERVER_KEYS = {"publish": "publish.public", "stream": "stream.public", "": "server.public"}


def _key(text: str, name: str) -> bytes:
    if len(text) != 40 or not set(text) <= _Z85:
        raise KeyFolderError(f"{name}: not a z85 key of 40 characters")
    return text.encode("ascii")


@dataclass(frozen=True)
class Keys:
    """The client's pair, the doors' public keys, and where the doors ("publish", "stream") are."""

    client_secret: bytes = field(repr=False)
    client_public: bytes
    server_public: Dict[str, bytes]
    endpoints: Dict[str, str]

    @classmethod
    def from_text(
        cls, client_secret: str, client_public: str, server_public: str, **endpoints: str
    ) -> "Keys":
        return cls(
            _key(client_secret, "client_secret"),
            _key(client_public, "client_public"),
            {"": _key(server_public, "server_public")},
            dict(endpoints),
        )

    @classmethod
    def load(cls, folder: Union[str, "os.PathLike[str]"]) -> "Keys":
        """Reads a folder; KeyFolderError says which file is missing or wrong."""
        path = Path(folder)
        try:
            mode = (path / "client.secret").stat().st_mode
            if mode & stat.S_IROTH:
                raise KeyFolderError(
                    f"{path / 'client.secret'}: everybody can read this secret; chmod 600"
                )
            secret, public = (
                _key((path / name).read_text("ascii").strip(), str(path / name))
                for name in ("client.secret", "client.public")
            )
            servers = {
                door: _key((path / name).read_text("ascii").strip(), str(path / name))
                for door, name in _SERVER_KEYS.items()
                if (path / name).exists()
            }
            if not servers:
                raise KeyFolderError(f"{path}: no publish.public, stream.public or server.public")
            lines = (path / "endpoints").read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFolderError(str(error)) from error
        endpoints = dict(
            (part.strip() for part in line.split("=", 1))
            for line in lines
            if "=" in line and not line.lstrip().startswith("#")
        )
        return cls(secret, public, servers, endpoints)

    def server_key(self, door: str) -> bytes:
        key = self.server_public.get(door) or self.server_public.get("")
        if key is None:
            raise KeyFolderError(f"no {_SERVER_KEYS[door]} and no server.public")
        return key

    def doors(self, door: str) -> List[str]:
        """The endpoints of a door, to be tried in turn."""
        found = [e.strip() for e in self.endpoints.get(door, "").split(",") if e.strip()]
        if not found:
            raise KeyFolderError(f"endpoints: no line \"{door}=...\"")
        for endpoint in found:
            if not endpoint.startswith(("tcp://", "ipc://")):
                raise KeyFolderError(f"endpoint {endpoint!r} is not tcp://host:port")
        return found
