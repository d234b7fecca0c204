"""Files that must not be read as they stand: each refusal under its code, with its place and what to do."""

from __future__ import annotations

import errno

from tierlens.errors import DataError
from tierlens.words import Lang, Text

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Code: what is wrong, and what to do now. Braces are filled with the values of the case.
_REFUSALS: dict[str, tuple[Text, Text]] = {
    "E-TX-009": (
        Text("the line has {found} fields, the header {width}", "该行有 {found} 个字段，表头只有 {width} 个"),
        Text("quote fields that hold the separator, or export again", "请为含分隔符的字段加引号，或重新导出"),
    ),
    "E-TX-011": (
        Text("two columns are called {name!r}", "两列同名：{name!r}"),
        Text("rename one of them", "请重命名其中一列"),
    ),
    "E-TX-012": (
        Text("{names} could each be {role}", "{names} 都可能是 {role}"),
        Text("name one in the run file: columns: {{{role}: ...}}", "请在运行文件中指定：columns: {{{role}: ...}}"),
    ),
    "E-TX-013": (
        Text("the fields are separated by full-width commas (，)", "字段以全角逗号（，）分隔"),
        Text("replace them by , or ; and export again", "请改为半角逗号或分号后重新导出"),
    ),
    "E-TX-016": (
        Text("the line is not {encoding}, other lines are", "该行不是 {encoding} 编码，其他行是"),
        Text("export the file again in one encoding (UTF-8)", "请以同一编码（UTF-8）重新导出"),
    ),
    "E-TX-018": (
        Text("the line holds a NUL character", "该行含有 NUL 字符"),
        Text("export the file again as text", "请重新导出为文本"),
    ),
    "E-TX-019": (
        Text("a quoted field that starts here is not closed properly", "此处开始的引号未正确闭合"),
        Text("close the quote, or double quotes inside a field", "请补全引号；字段内的引号须写两次"),
    ),
    "E-TX-020": (
        Text("the file has no {part}", "文件没有{part}"),
        Text("export it again; set allow_empty for a file without lines", "请重新导出；确无数据时设置 allow_empty"),
    ),
    "E-TX-021": (
        Text(
            "the file is cut short, damaged or still being written ({detail})",
            "文件不完整、已损坏或仍在写入（{detail}）",
        ),
        Text("wait until it is complete, or copy it again", "请等待写入完成，或重新复制"),
    ),
    "E-TX-023": (
        Text(
            "no header with {roles} within the first 10 rows of any sheet", "各工作表前 10 行内没有包含 {roles} 的表头"
        ),
        Text(
            "put one header row on top, or name the headers under columns", "请在顶部放置一行表头，或在 columns 中指定"
        ),
    ),
    "E-TX-151": (
        Text(
            "the amounts or pieces of this customer sum to {total}, more than can be added up exactly",
            "该客户的金额或数量合计为 {total}，超出可精确求和的范围",
        ),
        Text("correct this line, the largest of them", "请更正此行（其中最大的一行）"),
    ),
    "E-TX-152": (
        Text(
            "the workbook unpacks to {size} MB in {parts} parts, {times} times its size",
            "工作簿解压后为 {size} MB、{parts} 个部分，是文件大小的 {times} 倍",
        ),
        Text(
            "save its data sheets in a new workbook, or export them as CSV",
            "请将数据工作表另存为新工作簿，或导出为 CSV",
        ),
    ),
    "E-TX-153": (
        Text(
            "cell {cell} stretches a sheet to {rows} rows and {columns} columns",
            "单元格 {cell} 使工作表扩展到 {rows} 行、{columns} 列",
        ),
        Text(
            "delete the rows and columns outside the data (Ctrl+End shows the last cell), and save again",
            "请删除数据区以外的行和列（Ctrl+End 可定位最后一个单元格）后重新保存",
        ),
    ),
    "E-TX-160": (
        Text("a sheet stretches over {cells} cells", "工作表扩展到 {cells} 个单元格"),
        Text(
            "delete the rows and columns outside the data (Ctrl+End shows the last cell), and save again",
            "请删除数据区以外的行和列（Ctrl+End 可定位最后一个单元格）后重新保存",
        ),
    ),
    "E-TX-154": (
        Text("view {name!r} reads from outside the database", "视图 {name!r} 读取数据库以外的内容"),
        Text("make a table of it, or export it as a file", "请改为数据表，或导出为文件"),
    ),
    "E-TX-155": (
        Text("the file may not be read: {detail}", "无权读取该文件：{detail}"),
        Text("ask for the right to read it, or copy it", "请获取读取权限，或复制一份"),
    ),
    "E-TX-026": (
        Text("one column mixes numbers in {units}", "同一列混用单位：{units}"),
        Text("write all numbers of the column in one unit", "请将该列统一为一种单位"),
    ),
    "E-TX-032": (
        Text("lines {lines} have the same key and different content", "第 {lines} 行主键相同而内容不同"),
        Text(
            "correct them, or map recorded_at so that the later one counts", "请更正，或映射 recorded_at 以后记录者为准"
        ),
    ),
    "E-TX-033": (
        Text("{example!r} can be read day first or month first", "{example!r} 可按日/月或月/日理解"),
        Text("state it in the run file: date_format: '%d/%m/%Y'", "请在运行文件中写明：date_format: '%d/%m/%Y'"),
    ),
    "E-TX-041": (
        Text("amounts in {code}, and no rate to {own} is declared", "存在 {code} 金额，但未声明与 {own} 的汇率"),
        Text(
            "add the rate in the run file: currency: {{rates: {{{code}: ...}}}}",
            "请在运行文件的 currency.rates 中添加 {code} 汇率",
        ),
    ),
    "E-TX-042": (
        Text(
            "{share} of the lines belong to customers that the customer table lacks (limit {limit})",
            "{share} 的行属于客户表中没有的客户（上限 {limit}）",
        ),
        Text(
            "complete the customer table, or raise orphan_limit under policies",
            "请补全客户表，或在 policies 中提高 orphan_limit",
        ),
    ),
    "E-TX-043": (
        Text("the data do not fit: {detail}", "数据放不下：{detail}"),
        Text(
            "raise the memory limit, set TMPDIR to a larger disk, or read fewer files at once",
            "请提高内存上限，将 TMPDIR 设到更大的磁盘，或减少一次读取的文件",
        ),
    ),
    "E-TX-045": (
        Text("lines {lines} say different things of one customer", "第 {lines} 行对同一客户的记录相互矛盾"),
        Text(
            "correct them, or map valid_from or recorded_at so that the newer one counts",
            "请更正，或映射 valid_from 或 recorded_at 以较新者为准",
        ),
    ),
    "E-TX-118": (
        Text("there is no column {name!r}", "没有名为 {name!r} 的列"),
        Text("the file has: {headers}", "文件包含：{headers}"),
    ),
    "E-TX-119": (
        Text("no column for {roles}", "没有对应 {roles} 的列"),
        Text(
            "name it in the run file: columns: {{...}}; the file has: {headers}",
            "请在 columns 中指定；文件包含：{headers}",
        ),
    ),
    "E-TX-120": (
        Text("{what}", "{what}"),
        Text("{advice}", "{advice}"),
    ),
    "E-TX-121": (
        Text("there is no data folder", "找不到数据目录"),
        Text("set TIERLENS_DATA to the folder that holds it", "请将 TIERLENS_DATA 设为数据所在目录"),
    ),
    "E-TX-122": (
        Text("the encoding is not recognised", "无法识别文件编码"),
        Text("state it in the run file: encoding: cp1252", "请在运行文件中写明：encoding: cp1252"),
    ),
    "E-TX-123": (
        Text("files of this type are not read", "不支持此类文件"),
        Text(
            "use .csv, .tsv, .txt (or these with .gz), .xlsx, .parquet, .duckdb or .sqlite",
            "请使用 .csv、.tsv、.txt（或加 .gz）、.xlsx、.parquet、.duckdb 或 .sqlite",
        ),
    ),
    "E-TX-124": (
        Text("the workbook needs a password", "工作簿有密码"),
        Text("save it without one", "请另存为无密码的文件"),
    ),
    "E-TX-125": (
        Text("there is no table {name!r} in the database", "数据库中没有表 {name!r}"),
        Text("name one under 'table'; there are: {tables}", "请在 table 中指定；可用的表：{tables}"),
    ),
    "E-TX-126": (
        Text("the database cannot be opened ({detail})", "无法打开数据库（{detail}）"),
        Text(
            "check the address, and that no other program holds the file",
            "请检查地址，并确认没有其他程序占用该文件",
        ),
    ),
    "E-TX-127": (
        Text("column {name!r} holds binary values, lists or records", "列 {name!r} 含二进制值、列表或结构"),
        Text("write it as text, or leave it out (columns: null)", "请写成文本，或不读取该列（columns 中设为 null）"),
    ),
    "E-TX-128": (
        Text(
            "record {record!r} belongs to no customer, to two, or to itself in a circle",
            "记录 {record!r} 未指明主客户、对应两个主客户或形成循环",
        ),
        Text("let every record name one customer", "请为每条记录指明唯一的主客户"),
    ),
    "E-TX-159": (
        Text("a field of this line has more than {most} characters", "该行有字段超过 {most} 个字符"),
        Text("look for a quote that opens before it and is never closed", "请检查此前是否有未闭合的引号"),
    ),
    "E-TX-200": (
        Text("too many lines are quarantined: {reasons}", "隔离的行过多：{reasons}"),
        Text(
            "'tierlens read FILE --check' writes each line with its reason; correct the data, or raise limits "
            "(under policies; of another table, in its own section under tables)",
            "tierlens read 运行文件 --check 会逐行写出原因；请更正数据或提高上限（policies 下；他表在 tables 内）",
        ),
    ),
    "E-TX-201": (
        Text("the download failed ({detail})", "下载失败（{detail}）"),
        Text("put the workbook into {folder}, or set TIERLENS_DATA", "请将工作簿放入 {folder}，或设置 TIERLENS_DATA"),
    ),
}


def file_refusal(code: str, where: str = "", /, **values: object) -> DataError:
    """Return the error of a refused file, to be raised next to the check.

    Parameters
    ----------
    code : str
        One of the codes of this module.
    where : str
        ``file:line`` or ``file``.
    values
        What the two texts name; a value in both languages is a Text.

    Examples
    --------
    >>> print(file_refusal("E-TX-009", "orders.csv:7", found=5, width=4))
    E-TX-009 orders.csv:7: the line has 5 fields, the header 4; quote fields that hold the separator, or export again
    """
    what, fix = (
        Text(text.en.format(**_said(values, "en")), text.zh.format(**_said(values, "zh"))) for text in _REFUSALS[code]
    )
    return DataError(code, what, where=where, fix=fix)


def said_by(error: BaseException) -> str:
    """Return the first line of what another library's error says; its kind where it says nothing.

    Examples
    --------
    >>> said_by(OSError("no page")), said_by(OSError())
    ('no page', 'OSError')
    """
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def damaged_refusal(error: Exception, place: str) -> Exception:
    """Return the refusal of a file that a library cannot read; a full disk behind it stays what it is.

    Examples
    --------
    >>> damaged_refusal(OSError("no page"), "a.parquet").code, damaged_refusal(OSError(errno.EFBIG, "full"), "a.csv")
    ('E-TX-021', OSError(27, 'full'))
    """
    if isinstance(error, OSError) and error.errno in FULL:
        return error
    return file_refusal("E-TX-021", place, detail=said_by(error))


def _said(values: dict[str, object], lang: Lang) -> dict[str, object]:
    return {name: value.say(lang) if isinstance(value, Text) else value for name, value in values.items()}


NO_FILE = {
    "what": Text("no such file", "文件不存在"),
    "advice": Text("check the path in the run file", "请检查运行文件中的路径"),
}
EMPTY_FOLDER = {
    "what": Text(
        "the folder is empty, or holds no file of a type that is read", "目录为空，或其中没有可读取类型的文件"
    ),
    "advice": Text(
        "put .csv, .tsv, .txt, .xlsx or .parquet files into it, or name another in the run file",
        "请放入 .csv、.tsv、.txt、.xlsx 或 .parquet 文件，或在运行文件中改用其他目录",
    ),
}
NO_LINES = Text("lines", "数据行")
NO_HEADER = Text("header", "表头")
NO_CONTENT = Text("content", "内容")
