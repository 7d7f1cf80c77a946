"""A profile as the text of a TOML file that `augment.profile.load_profile` reads."""

import json

from augment.profile import Profile


def format_profile(profile: Profile) -> str:
    """One table a parameter: value, unit, source, spread."""
    lines = [f"{word} = {_quote(getattr(profile, word))}" for word in ("name", "model", "about")]
    for name, one in profile.given.items():
        lines += ["", f"[{name}]", f"value = {_say(one.value)}", f"unit = {_quote(one.unit)}"]
        lines.append(f"source = {_quote(one.source)}")
        if one.spread is not None:
            lines.append(f"spread = [{_say(one.spread[0])}, {_say(one.spread[1])}]")
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _say(value: float) -> str:
    """Seven digits: more than any fit knows, and no noise of binary fractions."""
    text = f"{value:.7g}"
    return text if any(c in text for c in ".en") else text + ".0"
