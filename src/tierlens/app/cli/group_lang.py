"""A language given before a command: to the program, or to a group of commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tierlens.words import Lang


def language_defaults(command: Any, lang: Lang) -> dict[str, Any]:
    """Return a language as the default of every command that takes one, at any depth."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return {"lang": lang}
    return {"lang": lang, **{name: language_defaults(one, lang) for name, one in inner.items()}}


def group_lang(
    context: typer.Context,
    lang: Annotated[
        Lang | None, typer.Option("--lang", help="Language of texts, here or after the command.", show_default=False)
    ] = None,
) -> None:
    """Hand the language of a group to its commands."""
    if lang is not None:
        context.default_map = language_defaults(context.command, lang)
