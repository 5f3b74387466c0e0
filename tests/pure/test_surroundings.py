"""A browser does not inherit what is ours alone."""

from runner.browser.surroundings import surroundings


def test_a_browser_gets_the_environment_without_our_settings_and_without_keys() -> None:
    kept = {"HOME": "/home/ann", "DISPLAY": ":0", "TMPDIR": "/var/ours", "LANG": "de_DE.UTF-8"}
    ours = {"TAPEWRIGHT_MODELS": "/m.toml", "OPENAI_BASE_URL": "http://gpu.test/v1"}
    keys = dict.fromkeys(
        ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "OUR_KEY", "HF_TOKEN", "db_password"), "sk-1"
    )

    assert kept == surroundings({**ours, **kept, **keys})
