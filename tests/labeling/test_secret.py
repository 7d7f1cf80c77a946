"""Tokens: read from where they may be, and seen nowhere else."""

import logging
import os
import pickle
import stat
import traceback
from pathlib import Path

import pytest

from console.studio import connect
from frames.errors import BadInput
from labeling.secret import VARIABLE, Token, read_token, redact, write_token

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl-_x"


def test_a_token_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    old = os.umask(0)
    try:
        write_token(path, Token(JWT))
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_token(None, tmp_path, {}).reveal() == JWT
    assert sorted(p.name for p in tmp_path.iterdir()) == ["token"]


def test_where_a_token_comes_from(tmp_path: Path) -> None:
    write_token(tmp_path / "token", Token("of-the-studio"))
    write_token(tmp_path / "other", Token("of-a-file"))
    given = {VARIABLE: "of-the-environment"}
    assert read_token(None, tmp_path, given).reveal() == "of-the-environment"
    assert read_token(tmp_path / "other", tmp_path, given).reveal() == "of-a-file"
    assert read_token(None, tmp_path, {}).reveal() == "of-the-studio"
    with pytest.raises(BadInput, match=f"set {VARIABLE}, name a file with --token-file"):
        read_token(None, tmp_path / "nowhere", {})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_token_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    write_token(tmp_path / "token", Token(JWT))
    (tmp_path / "token").chmod(mode)
    with pytest.raises(BadInput, match=rf"mode 0{mode:o}\): chmod 600") as caught:
        read_token(None, tmp_path, {})
    assert JWT not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "two words", "a\nb"])
def test_a_file_that_holds_no_token(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadInput, match="must hold one token"):
        read_token(path, tmp_path)


def test_nobody_sees_a_token(caplog: pytest.LogCaptureFixture) -> None:
    token = Token(JWT)
    logging.getLogger().warning("%s %r %s", token, token, {"t": token})
    try:
        raise ValueError(token)
    except ValueError:
        said = traceback.format_exc()
    assert JWT not in caplog.text + said + f"{token}" + repr([token])
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(token)


def test_what_a_server_says_is_told_without_secrets() -> None:
    legacy = "0123456789abcdef0123456789abcdef01234567"
    said = (
        f"headers: {{'set-cookie': 'sessionid=abc.def:ghi; HttpOnly', 'Authorization': 'x{JWT}'}}"
        f" csrftoken=qqq token {legacy} plain-secret"
    )
    told = redact(said, Token("plain-secret"))
    for secret in (JWT, legacy, "abc.def:ghi", "qqq", "plain-secret"):
        assert secret not in told
    assert "HttpOnly" in told


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="without a password, got 'host:8080'") as caught:
        connect(tmp_path, "http://me:secret@host:8080", None)
    assert "secret" not in str(caught.value)
