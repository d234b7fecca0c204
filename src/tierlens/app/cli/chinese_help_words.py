"""The Chinese of the command line's help, by its English: what a reader sees, word for word."""

from __future__ import annotations

_FILES = {
    "Run file (YAML).": "运行文件（YAML）。",
    "Folder for results.": "结果文件夹。",
    "Folder for what --check writes.": "--check 所写文件的文件夹。",
    "Folder of a finished run.": "已完成运行的文件夹。",
    "Folder of the run in use.": "现用模型所在运行的文件夹。",
    "Folder of the other run.": "另一运行的文件夹。",
    "Folder of the store.": "运行记录所在的文件夹。",
    "Folder of studies and of the MLflow store.": "搜索记录与 MLflow 记录所在的文件夹。",
    "Write quarantined lines to this CSV file.": "将隔离的行写入此 CSV 文件。",
    "CSV file for a person to fill in.": "供人工填写的 CSV 文件。",
    "Write everybody who moved: .csv or .xlsx.": "写出全部等级有变动的客户：.csv 或 .xlsx。",
    "File to write: .html or .xlsx.": "要写的文件：.html 或 .xlsx。",
    "List to write: .csv or .xlsx.": "要写的名单：.csv 或 .xlsx。",
    "Run file that says where newer data are.": "说明较新数据位置的运行文件。",
    "Search space (YAML).": "搜索空间（YAML）。",
    "Where to write; OUT/report.html by default.": "写到何处；默认为 OUT/report.html。",
    "Where to write.": "写到何处。",
    "Write it as a workbook (.xlsx) in the same layout.": "以相同版式写为工作簿（.xlsx）。",
    "Workbook in the layout of 'scheme explain --to'.": "版式与 'scheme explain --to' 所写相同的工作簿。",
    "Scheme file (.yaml) to write.": "要写的方案文件（.yaml）。",
    "Name of a shipped scheme, or a scheme file.": "内置方案的名称，或方案文件。",
    "Another scheme than the run file's.": "改用另一方案，而非运行文件中的方案。",
    "Only customers who agreed, by this CSV of customer_id and contactable as known now.": (
        "只含已同意联系的客户，以此 CSV（customer_id 与 contactable 两列，截至目前所知）为准。"
    ),
}
_CHOICES = {
    "Language of texts, here or after the command.": "文字语言，写在命令之前或之后均可。",
    "Language of texts.": "文字语言。",
    "Print the version and stop.": "显示版本后结束。",
    "Show this message and exit.": "显示本帮助后结束。",
    "Report on every table in both languages; write what was kept out to OUT.": (
        "以两种语言报告每张表，并将未采用的行写入 OUT。"
    ),
    "Replace earlier files of the same kind.": "替换先前的同类文件。",
    "Replace an earlier file of the same kind.": "替换先前的同类文件。",
    "Replace earlier results.": "替换先前的结果。",
    "Replace an earlier result.": "替换先前的结果。",
    "Replace an earlier list.": "替换先前的名单。",
    "Replace an earlier report at --to.": "替换 --to 处先前的报告。",
    "Files without a line are legal.": "允许没有数据行的文件。",
    "One JSON object on stdout.": "在 stdout 输出一个 JSON 对象。",
    "Least likeness of two names.": "两个名称的最低相似度。",
    "Earlier cutoff, such as 2011-03-01.": "较早的截止日，例如 2011-03-01。",
    "Later cutoff.": "较晚的截止日。",
    "Customers to show; --json and --out hold all.": "显示多少位客户；--json 与 --out 含全部。",
    "Customer ID.": "客户编号。",
    "Customer ID; may be given again.": "客户编号；可重复填写。",
    "churn or downgrade.": "churn（流失）或 downgrade（降级）。",
    "Latest cutoffs that both were tested on.": "两者都检验过的最近多少个截止日。",
    "Seconds after which no trial starts.": "超过多少秒后不再开始新的试验。",
    "Trials in all, those of earlier searches included.": "试验总数，含先前搜索的试验。",
    "Keep each trial in MLflow.": "将每次试验记入 MLflow。",
    "Check everything, write nothing.": "只检查，不写任何文件。",
    "Keep the run in MLflow.": "将运行记入 MLflow。",
    "spark: features, grades and risks of all customers by Spark.": "spark：由 Spark 计算全部客户的特征、等级与风险。",
    "Print the scheme as SQL and stop.": "将方案显示为 SQL 后结束。",
    "Only this tier; may be given again.": "只含此等级；可重复填写。",
    "Only this risk band, the worse of both risks: high, medium, low.": (
        "只含此风险档（两种风险取较高者）：high（高）、medium（中）、low（低）。"
    ),
    "Only this band of churn risk.": "只含此流失风险档。",
    "Only this band of downgrade risk.": "只含此降级风险档。",
    "Who comes first: the riskiest, or most money at risk (risk times amount of the window).": (
        "排序方式：风险高者在前，或风险金额（风险乘以窗口内金额）高者在前。"
    ),
    "Only this segment.": "只含此客群。",
    "At most so many, the first of them.": "最多多少位，取排在前面的。",
    "Port on this machine.": "本机端口。",
    "Only this dimension: value, stability, ...": "只含此维度：value（价值）、stability（稳定）等。",
    "Name of the feature.": "特征的列名。",
    "Cutoff; may be given again. Default: the run's.": "截止日；可重复填写。默认为运行文件的截止日。",
    "Customers in the sample.": "抽查多少位客户。",
    "Identifier of the scheme.": "方案的标识。",
}
_COMMANDS = {
    "Documented customer tiers, discovered segments and predicted risk, with the reason for each.": (
        "按文件评定的客户等级、从数据中发现的客群、预测的流失与降级风险，每项均附原因。"
    ),
    "Exit codes: 0 done; 1 a fault of tierlens or of the machine (disk, memory); 2 what was typed or configured is "
    "wrong (command, path, run file, scheme); 3 data that must not be used; 4 busy; 5 an optional package is missing; "
    "130 interrupted by Ctrl-C, 143 by SIGTERM.": (
        "退出码：0 完成；1 tierlens 或机器（磁盘、内存）的故障；2 输入或配置有误（命令、路径、运行文件、方案）；"
        "3 数据不可使用；4 正被占用；5 缺少可选组件；130 被 Ctrl-C 中断，143 被 SIGTERM 终止。"
    ),
    "Read the source strictly and print the quality report.": "严格读取数据源，并显示质量报告。",
    "Find customers that may be one, and write them for a person to confirm; nothing is ever merged by guessing.\n\n"
    "Fill in same_as where two are one, name the file in the run file (source: same_customer), and the records are "
    "merged in every table. Found again into the same file, pairs keep what was filled in.": (
        "查找可能是同一客户的记录，写出供人工确认；绝不凭猜测合并。\n\n"
        "若两条是同一客户，请填写 same_as，并在运行文件中写明此文件（source: same_customer），"
        "各表中的记录即会合并。再次查找并写入同一文件时，已填写的内容会保留。"
    ),
    "Show who moved between tiers and why, what moved the scores, and which triggers fired.": (
        "显示哪些客户的等级有变动及其原因、评分因何变化，以及触发了哪些条件。"
    ),
    "Show what raises a customer's tier, what may be lost without losing it, and what leaves the window when.": (
        "显示怎样可使客户升级、失去多少仍可保级，以及哪些内容何时移出观察期。"
    ),
    "Write the rating card of customers in the form of the document.": "按文件的格式写出客户评级卡。",
    "Say whether a scheme works: churn and downgrade by tier, shares, Pareto, idle indicators.": (
        "说明方案是否有效：各等级的流失与降级、占比、帕累托分布、不起作用的指标。"
    ),
    "Hold a run's churn scores against what happened, once their horizon has passed.": (
        "预测期过后，将某次运行的流失评分与实际情况对照。"
    ),
    "Say which of two runs' models is better on the same customers, or that chance explains the difference.": (
        "说明两次运行的模型在相同客户上哪个更好，或差异可由偶然解释。"
    ),
    "Search settings of the churn model within a budget; a study that was begun goes on.": (
        "在时间预算内搜索流失模型的设置；已开始的搜索会接着进行。"
    ),
    "Do everything: read, features, tiers, segments, risk, reasons, lists, report, tracked run.\n\n"
    "With --engine spark the run goes as far as tiers and risks of every customer; models kept under OUT/models by "
    "'tierlens train' are used where they are there, else learned first.": (
        "全部完成：读取、特征、等级、客群、风险、原因、名单、报告及运行记录。\n\n"
        "使用 --engine spark 时，运行到每位客户的等级与风险为止；若 OUT/models 中有 'tierlens train' "
        "保存的模型则直接使用，否则先学习。"
    ),
    "Grade the customers of the run's cutoff by its scheme.": "按运行文件的方案，评定其截止日的客户等级。",
    "Find segments and hold them against the tiers.": "发现客群，并与等级对照。",
    "Train the risk models, hold them against their baselines, keep them under OUT/models.": (
        "训练风险模型，与基准对照，并保存于 OUT/models。"
    ),
    "Score the customers of the run's cutoff with the models kept under OUT/models.": (
        "用 OUT/models 中保存的模型，为运行文件截止日的客户计算风险。"
    ),
    "Explain one customer of a finished run: tier with its evidence, risks with their reasons, next step.": (
        "说明已完成运行中的一位客户：等级及依据、风险及原因、下一步建议。"
    ),
    "Write a list of customers of a finished run, with reasons and a next step for each.": (
        "由已完成的运行写出客户名单，每位附原因与下一步建议。"
    ),
    "Write the report of a finished run again, without its data.": "重新写出已完成运行的报告，无需其数据。",
    "Open MLflow's pages on this machine, in a light setting.": "在本机以轻量设置打开 MLflow 页面。",
    "Print the version.": "显示版本。",
    "Build features, look them up, audit them.": "计算、查阅、审查特征。",
    "Build all features at the cutoff of the run and at those it learns from.": (
        "计算运行文件的截止日及其学习所用各截止日的全部特征。"
    ),
    "List the catalog: name, title, dimension, unit, direction and tables of every feature.": (
        "列出特征目录：每个特征的列名、名称、维度、单位、方向与数据表。"
    ),
    "Show one feature: formula, unit, direction, tables, what a missing value means.": (
        "显示一个特征：公式、单位、方向、数据表，以及缺失值的含义。"
    ),
    "Write the page of all features, made from the catalog.": "由特征目录生成并写出全部特征的说明页。",
    "Hold every feature to the laws of a point in time, on a sample of your own data; exit code 3 where one fails.": (
        "在您的数据的抽样上，检查每个特征是否符合时点规律；有不符合者则退出码为 3。"
    ),
    "Check, explain, start or import a scheme.": "检查、说明、新建或导入方案。",
    "List the shipped schemes.": "列出内置方案。",
    "Hold a scheme against the linter, and print what each indicator can contribute.\n\n"
    "With --data it is tried on the customers of a run file: shares of tiers beside the suggested ones, tiers that "
    "nobody reaches and why, customers without a tier, triggers that fire for nobody. --propose "
    "changes nothing by itself.": (
        "检查方案有无问题，并显示每个指标最多可影响多少分。\n\n"
        "加 --data 则在运行文件的客户上试用：各级占比与建议占比、无人达到的等级及原因、无等级的客户、"
        "未触发的条件。--propose 本身不作任何更改。"
    ),
    "Run file: tell also what the scheme does on its customers.": "运行文件：同时说明方案在其客户上的结果。",
    "With --data: propose a centre and spread nearer to the suggested shares.": (
        "配合 --data：提出更接近建议占比的中心与离散度。"
    ),
    "With --propose: write the proposal as a new scheme (.yaml).": "配合 --propose：将建议写成新方案（.yaml）。",
    "Only active, lapsed or prospect.": "仅限活跃、沉睡或潜在客户。",
    "Show a scheme as the tables that a sales manager can sign.": "将方案显示为销售负责人可签字的表格。",
    "Make a scheme file of a workbook; the round trip is exact.": "由工作簿生成方案文件；往返转换完全一致。",
    "Write a starter scheme for the features of a run file.": "按运行文件的特征写出一份起步方案。",
}
HELP = {**_FILES, **_CHOICES, **_COMMANDS}
"""Chinese by English; a line break within a paragraph counts as a space."""
