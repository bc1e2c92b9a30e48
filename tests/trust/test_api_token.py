import pytest

from service.trust.api_token import ApiToken, parsed


def test_a_token_has_a_role_and_may_have_a_tenant_and_a_person() -> None:
    assert parsed("s:admin") == ApiToken(token="s", role="admin", tenant="default", name="")
    assert parsed("s:agent:t:Ada Byron") == ApiToken(
        token="s", role="agent", tenant="t", name="Ada Byron"
    )


@pytest.mark.parametrize(
    "text",
    [
        "s", "s:boss", ":admin", "s:admin:", "s:admin:t:", "s:admin:t:x:y", "s:admin:t:a\nb",
        "s:admin:t:" + "x" * 61,
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parsed(text)


def test_the_token_itself_is_not_shown() -> None:
    assert "secret" not in repr(parsed("secret:viewer"))
