"""The plugin comes with the installed package; where only the sources are on the path, it is registered here."""

import pytest

from service.testing import plugin


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.is_registered(plugin):
        config.pluginmanager.register(plugin, plugin.FIXTURE)
