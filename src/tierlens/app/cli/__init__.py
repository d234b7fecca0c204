"""The command line: one file a group of commands; each hands its arguments on and prints what comes back."""

__all__ = [
    "chinese_help",
    "chinese_help_words",
    "data_commands",
    "failures",
    "feature_commands",
    "group_lang",
    "help_layout",
    "main",
    "model_commands",
    "review_commands",
    "terminal",
]
