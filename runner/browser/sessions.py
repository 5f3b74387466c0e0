"""Where sessions come from: a shared browser, one for each, or one that somebody else runs."""

from contextlib import AbstractAsyncContextManager

from runner.browser.borrowed import BorrowedBrowser, open_borrowed
from runner.browser.browsers import Browsers, BrowserSettings, open_browsers
from runner.browser.isolated import IsolatedBrowsers, open_isolated
from runner.browser.remote import is_remote

AnySessions = Browsers | IsolatedBrowsers | BorrowedBrowser


def open_sessions(settings: BrowserSettings) -> AbstractAsyncContextManager[AnySessions]:
    """By these settings."""
    if not settings.isolated or settings.directory is None:
        return open_browsers(settings)
    if is_remote(settings.executable):
        return open_borrowed(settings, settings.directory)
    return open_isolated(settings, settings.directory)
