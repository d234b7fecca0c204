"""Headers that people use, in English and in simplified and traditional Chinese, for each column of each table.

Case, spaces, marks such as ``_`` and a unit in brackets do not count when a header is recognised.
"""

from __future__ import annotations

_EVERYWHERE: dict[str, str] = {
    "customer_id": "customer_id customer_no customer_number customer_code client_id buyer_id member_id 客户编号 "
    "客户号 客户id 客户代码 客户编码 会员编号 会员号 会员id 买家id 客戶編號 客戶號 客戶id "
    "客戶代碼 會員編號 會員號",
    "recorded_at": "recorded_at recorded created_at entered_at 录入时间 录入日期 记录时间 入账时间 登记时间 "
    "錄入時間 錄入日期 記錄時間 入賬時間 登記時間",
}

ALIASES: dict[str, dict[str, str]] = {
    "transactions": _EVERYWHERE
    | {
        "order_id": "order_id order_no order_number invoice invoice_no invoice_number invoice_id 订单号 "
        "订单编号 订单id 单号 发票号 发票号码 发票编号 訂單號 訂單編號 訂單id 單號 發票號 發票號碼 "
        "發票編號",
        "time": "time date datetime order_date order_time invoice_date invoice_time transaction_date "
        "transaction_time purchase_date sold_at ordered_at 日期 时间 订单日期 订单时间 下单日期 "
        "下单时间 交易日期 交易时间 成交日期 成交时间 发票日期 购买日期 時間 訂單日期 訂單時間 下單日期 "
        "下單時間 交易時間 成交時間 發票日期 購買日期",
        "product_id": "product_id product_code product_no sku stock_code item_id item_code 商品编号 商品编码 "
        "商品代码 商品id 产品编号 产品编码 产品代码 货号 物料编码 商品編號 商品代碼 產品編號 "
        "產品代碼 貨號",
        "quantity": "quantity qty units number_of_units 数量 件数 销售数量 購買數量 數量 件數 銷售數量",
        "price": "price unit_price 单价 价格 销售单价 單價 價格 銷售單價",
        "amount": "amount total_amount line_amount line_total revenue sales_amount net_amount 金额 总金额 "
        "销售额 销售金额 成交额 成交金额 交易金额 订单金额 实付金额 金額 總金額 銷售額 銷售金額 "
        "成交額 成交金額 交易金額 訂單金額 實付金額",
        "kind": "kind transaction_type order_type 业务类型 交易类型 订单类型 業務類型 交易類型 訂單類型",
        "currency": "currency currency_code 币种 货币 幣種 貨幣",
        "line_id": "line_id transaction_id transaction_no 流水号 交易流水号 交易编号 流水號 交易流水號 交易編號",
    },
    "customers": _EVERYWHERE
    | {
        "name": "name customer_name company company_name full_name 客户名称 客户名 公司名称 企业名称 单位名称 "
        "名称 全称 客户全称 客戶名稱 公司名稱 企業名稱 單位名稱 名稱 全稱",
        "short_name": "short_name abbreviation alias 简称 客户简称 公司简称 簡稱 客戶簡稱 公司簡稱",
        "industry": "industry sector trade 行业 所属行业 行業 所屬行業",
        "industry_section": "industry_section gbt4754 section 行业门类 国标行业 行业代码 行業門類 國標行業",
        "employees": "employees employee_count headcount staff 员工人数 员工数 人数 职工人数 員工人數 員工數 "
        "人數 職工人數",
        "company_size": "company_size size 规模 企业规模 公司规模 客户规模 規模 企業規模 公司規模",
        "region": "region area province city 地区 区域 省份 城市 地區 區域",
        "since": "since customer_since first_contact_date 合作开始日期 合作起始日 合作日期 建档日期 开户日期 "
        "合作開始日期 建檔日期 開戶日期",
        "contactable": "contactable consent opt_in marketing_consent 可联系 同意联系 营销同意 是否同意 可聯繫 "
        "同意聯繫 營銷同意",
        "valid_from": "valid_from effective_from updated_at as_of 生效日期 更新日期 更新时间 生效時間 更新時間",
    },
    "contracts": _EVERYWHERE
    | {
        "contract_id": "contract_id contract_no contract_number 合同编号 合同号 协议编号 合同編號 合同號 協議編號",
        "start": "start start_date valid_from begin 开始日期 合同开始日期 签约日期 签订日期 生效日期 起始日期 "
        "開始日期 合同開始日期 簽約日期 簽訂日期",
        "end": "end end_date valid_to expiry 结束日期 合同结束日期 到期日 到期日期 终止日期 結束日期 "
        "合同結束日期 終止日期",
        "value": "value contract_value amount 合同金额 合同额 金额 合同金額 合同額 金額",
        "renewed": "renewed renewal is_renewed 是否续约 续约 是否续签 續約 是否續約 是否續簽",
        "fulfilled": "fulfilled fulfilment fulfillment share_fulfilled 履约率 合同履约率 履行率 履約率 合同履約率",
        "decided_at": "decided_at outcome_at renewal_date 续约日期 续约确定日期 结案日期 續約日期 結案日期",
    },
    "tickets": _EVERYWHERE
    | {
        "ticket_id": "ticket_id ticket_no case_id case_no 工单编号 工单号 单号 服务单号 工單編號 工單號 單號 服務單號",
        "time": "time date datetime 日期 时间 日期时间 時間 日期時間 opened_at opened submitted_at 提交时间 "
        "提交日期 创建时间 受理时间 受理日期 提交時間 創建時間 受理時間",
        "kind": "kind type ticket_type category 类型 工单类型 服务类型 類型 工單類型 服務類型",
        "severity": "severity priority level 严重程度 严重性 等级 级别 嚴重程度 嚴重性 等級 級別",
        "satisfaction": "satisfaction csat score rating 满意度 服务满意度 评分 满意度评分 滿意度 服務滿意度 評分",
        "closed_at": "closed_at closed resolved_at 关闭时间 关闭日期 办结时间 解决时间 關閉時間 辦結時間 解決時間",
    },
    "interactions": _EVERYWHERE
    | {
        "interaction_id": "interaction_id activity_id 互动编号 跟进编号 活动编号 互動編號 跟進編號 活動編號",
        "time": "time date datetime 日期 时间 日期时间 時間 日期時間 happened_at contacted_at visit_date "
        "互动时间 互动日期 跟进时间 跟进日期 拜访日期 拜访时间 联系时间 互動時間 跟進時間 拜訪日期 "
        "聯繫時間",
        "kind": "kind type channel 类型 方式 互动方式 跟进方式 渠道 類型 互動方式 跟進方式",
    },
    "surveys": _EVERYWHERE
    | {
        "survey_id": "survey_id response_id 问卷编号 调研编号 答卷编号 問卷編號 調研編號",
        "time": "time date datetime 日期 时间 日期时间 時間 日期時間 answered_at survey_date 答卷时间 调研日期 "
        "调研时间 调查日期 回收日期 答卷時間 調研日期 調查日期",
        "nps": "nps net_promoter_score 净推荐值 淨推薦值",
        "recommend": "recommend recommendation likelihood_to_recommend recommend_score 推荐意愿 推荐度 推荐分 "
        "推薦意願 推薦度",
        "satisfaction": "satisfaction csat overall_satisfaction 满意度 总体满意度 滿意度 總體滿意度",
        "regard": "regard brand_regard brand 品牌认可度 品牌及产品认可度 认可度 品牌認可度 認可度",
    },
    "payments": _EVERYWHERE
    | {
        "invoice_id": "invoice_id payment_id bill_id invoice invoice_no 账单编号 账单号 发票号 付款编号 "
        "应收单号 賬單編號 賬單號 發票號 付款編號",
        "due": "due due_date payment_due 应付日期 到期日 应收日期 应付款日 账期到期日 應付日期 應收日期",
        "paid": "paid paid_date paid_at payment_date 付款日期 实付日期 到账日期 回款日期 收款日期 付款時間 "
        "實付日期 到賬日期",
        "amount": "amount amount_due 应付金额 应收金额 金额 账单金额 應付金額 應收金額 金額",
        "paid_amount": "paid_amount amount_paid 实付金额 已付金额 回款金额 到账金额 實付金額 已付金額",
    },
    "ratings": _EVERYWHERE
    | {
        "name": "name rating indicator item rating_name 评价项 指标 项目 评级项 評價項 指標 項目 評級項",
        "value": "value judgement judgment grade 评价值 值 结果 评级 评价结果 評價值 結果 評級",
        "judged_at": "time date datetime 日期 时间 日期时间 時間 日期時間 judged_at rated_at as_of 评价日期 "
        "评级日期 评估日期 判定日期 評價日期 評級日期 評估日期",
    },
    "consent": {
        "customer_id": _EVERYWHERE["customer_id"],
        "contactable": "contactable consent opt_in marketing_consent can_contact 可联系 是否可联系 同意联系 营销同意 "
        "是否同意 可聯繫 是否可聯繫 同意聯繫 營銷同意",
    },
    "merges": {
        "customer_id": _EVERYWHERE["customer_id"] + " record duplicate duplicate_id 重复编号 副编号 重複編號",
        "same_as": "same_as master master_id merged_into 主客户编号 主编号 合并到 合并至 主客戶編號 主編號 合併到",
    },
}
"""By table and column; the names of one column are separated by spaces."""
