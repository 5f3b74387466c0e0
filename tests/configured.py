"""Models as the settings have them, for tests of what may be named; nothing is asked of them."""

from api.models import Configured


def model(name: str, **fields: object) -> Configured:
    """A model of a server on this machine; `fields` are those of Configured."""
    plain: dict[str, object] = {"provider": "compatible", "model": name, "base_url": "http://localhost:9/v1"}
    return Configured(name=name, **plain | fields)  # type: ignore[arg-type] # a mistake shows in the comparison
