"""Chinese words for what pydantic and the YAML parser say of a file."""

from __future__ import annotations

from tierlens.words import Text

REASONS: dict[str, str] = {
    "missing": "必须填写",
    "model_type": "此处应为若干键（key: value）",
    "dict_type": "此处应为若干键（key: value）",
    "tuple_type": "此处应为列表",
    "list_type": "此处应为列表",
    "literal_error": "{input} 不在允许的取值之内：{expected}",
    "string_pattern_mismatch": "{input} 不符合格式 {pattern}",
    "greater_than_equal": "{input} 小于 {ge}",
    "less_than_equal": "{input} 大于 {le}",
    "greater_than": "{input} 不大于 {gt}",
    "less_than": "{input} 不小于 {lt}",
    "string_type": "{input} 不是文本；请加引号",
    "int_type": "{input} 不是整数",
    "int_parsing": "{input} 不是整数",
    "int_from_float": "{input} 不是整数",
    "bool_type": "{input} 不是 true 或 false",
    "bool_parsing": "{input} 不是 true 或 false",
    "too_short": "至少需要 {min_length} 项，现有 {actual_length} 项",
    "too_long": "至多 {max_length} 项，现有 {actual_length} 项",
    "string_too_short": "{input} 太短，至少 {min_length} 个字符",
    "string_too_long": "{input} 太长，至多 {max_length} 个字符",
    "float_type": "{input} 不是数字",
    "float_parsing": "{input} 不是数字",
    "decimal_type": "{input} 不是数字",
    "decimal_parsing": "{input} 不是数字",
    "decimal_max_digits": "{input} 的位数超过 {max_digits}",
    "decimal_max_places": "{input} 的小数位超过 {decimal_places}",
    "finite_number": "{input} 不是有限数",
    "int_parsing_size": "{input} 过大",
    "multiple_of": "{input} 不是 {multiple_of} 的倍数",
    "date_type": "{input} 不是日期",
    "date_parsing": "{input} 不是日期",
    "date_from_datetime_parsing": "{input} 不是日期",
    "path_type": "{input} 不是路径",
    "set_type": "此处应为列表",
    "none_required": "此处应为空",
    "mapping_type": "此处应为若干键（key: value）",
    "is_instance_of": "{input} 的类型不对",
    "union_tag_invalid": "{input} 不在允许的取值之内",
    "no_such_attribute": "没有这个键",
}
"""What a kind of pydantic's errors says in Chinese; values in braces are filled in."""

FIXES: dict[str, Text] = {
    "002": Text("leave out what is no setting, or split the file", "请删去非设置内容，或拆分文件"),
    "003": Text(
        "look at the indent, quotes and brackets of this line and the one before",
        "请检查该行及上一行的缩进、引号与括号",
    ),
    "005": Text(
        "keep one document of 'key: value' lines in the file (run file: examples/; scheme: 'tierlens scheme new')",
        "文件中须有且仅有一份“键: 值”内容（运行文件参见 examples/，方案可用 tierlens scheme new 生成）",
    ),
    "008": Text("leave the tag out", "请删去标签"),
    "absent": Text("check the path", "请检查路径"),
    "folder": Text("name a file in it", "请指定其中的文件"),
    "utf-8": Text("save it as UTF-8", "请另存为 UTF-8 编码"),
    "other": Text("name a plain file that you may read", "请指定有权读取的普通文件"),
}
"""What to do now, by number of the code or by what keeps a file from being read."""


def unreadable_advice(problem: OSError) -> Text:
    """Return what to do about a file that cannot be read.

    Examples
    --------
    >>> problems = (FileNotFoundError(2, "No such file"), IsADirectoryError(21, "a folder"))
    >>> tuple(unreadable_advice(problem).en for problem in problems)
    ('check the path', 'name a file in it')
    """
    kinds = {FileNotFoundError: "absent", NotADirectoryError: "absent", IsADirectoryError: "folder"}
    return FIXES[kinds.get(type(problem), "other")]


PARSER: dict[str, str] = {
    "mapping values are not allowed": "此处不能再写“键: 值”（多半是缩进或引号有误）",
    "did not find expected": "缺少应有的符号（多半是缩进、括号或引号未闭合）",
    "expected <block end>": "缩进与上文不一致",
    "could not find expected ':'": "键后缺少冒号",
    "found unexpected end of stream": "引号或括号未闭合",
    "that cannot start any token": "此处的字符不能作为值的开头，请加引号",
    "found unknown escape character": "双引号内的反斜杠写法无效，请改用单引号",
    "unexpected end": "文件在此中断",
    "control characters are not allowed": "含有控制字符",
    "special characters are not allowed": "含有控制字符",
    "found undefined alias": "引用了不存在的别名",
    "sequence entries are not allowed": "此处不能写列表项",
    "expected the node content": "此处缺少值",
    "expected ',' or ']'": "列表缺少逗号或右方括号",
    "expected ',' or '}'": "缺少逗号或右花括号",
    "expected a single document": "只能有一个文档",
}
"""What the YAML parser's messages say in Chinese, by words of theirs; those of libyaml and of Python's own differ."""


def parser_reason(reason: str) -> str:
    """Return the parser's reason in Chinese.

    Examples
    --------
    >>> parser_reason("expected <block end>, but found ','")
    '缩进与上文不一致'
    >>> parser_reason("something new")
    '此处的写法无法识别'
    """
    return next((chinese for start, chinese in PARSER.items() if start in reason), "此处的写法无法识别")
