"""What tests of weights share."""

import pytest

from tests.pipeline.registry import PATH, serving, tarball


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where weights are kept: a folder that is not there yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HUMANS4D_CACHE", str(folder))
    return folder


@pytest.fixture
def registry(monkeypatch):
    """An npm registry on this machine, with one package."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    with serving({PATH: tarball()}) as found:
        monkeypatch.setenv("npm_config_registry", found.address)
        yield found
