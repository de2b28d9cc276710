"""What `pinterest-capi suggest` makes of kinds of tables: shops of many languages, lists, apps.

Whole tables with every line of their mapping are in `test_suggest.py`.
"""

from typing import Any

import pytest
from suggested_samples import ago, unix

from given import record, schema
from target_pinterest_capi.suggestions import profile
from target_pinterest_capi.suggestions.entry import Entry, suggest_entry
from target_pinterest_capi.suggestions.items import comma_as_point
from target_pinterest_capi.suggestions.trial import Trial

MAID = "6d92078a-8246-4ba4-ae5b-76104861e7dc"
CONTENTS = "custom_data.contents"


def suggested(stream: str, *rows: dict[str, Any], key: str = "id") -> Entry:
    lines = [schema(stream, *rows[0], key_properties=(key,))]
    lines += [record(stream, **row) for row in rows]
    [found] = profile.read(lines).values()
    return suggest_entry(found)


def mapped(entry: Entry) -> dict[str, Any]:
    """Return what each column of the stream itself is sure to be, by column."""
    fields: dict[str, Any] = entry.mapping().get("fields", {})
    return {str(column): path for path, column in fields.items()}


# A shop's columns in the order of FIELDS, and the members of its products.
FIELDS = ("event_time", "em", "fn", "ln", "ct", "country", "value", "currency", "order_id")
SHOPS = {
    "bestellingen": (
        "besteldatum e-mailadres voornaam achternaam stad land totaalbedrag valuta bestelnummer",
        "producten artikelnummer naam stuksprijs aantal",
    ),
    "zamowienia": (
        "data_zamowienia adres_email imię nazwisko miasto kraj kwota waluta nr_zamowienia",
        "produkty kod nazwa cena ilość",
    ),
    "siparisler": (
        "siparis_tarihi eposta ad soyad sehir ulke tutar para_birimi siparis_no",
        "urunler urun_kodu urun_adi fiyat adet",
    ),
    "commandes": (
        "date_add courriel prénom nom ville pays total_paid_tax_incl devise id_order",
        "lignes id_produit libellé prix_unitaire_ttc qté",
    ),
    "pedidos": (
        "data_pedido e-mail nome sobrenome cidade país valor_total moeda numero_pedido",
        "itens sku nome preço quantidade",
    ),
    "ordini": (
        "data_ordine indirizzo_email nome cognome citta nazione totale_ordine valuta id_ordine",
        "articoli codice nome prezzo quantita",
    ),
    "Aufträge": (
        "dErstellt cMail cVorname cNachname cOrt cLand fGesamtsumme cWährung cAuftragsNr",
        "Positionen Artikelnummer Bezeichnung Einzelpreis Menge",
    ),
    "ordrar": (
        "orderdatum e-post förnamn efternamn ort land summa valuta ordernummer",
        "varer varenummer navn pris antal",
    ),
    "Tilaukset": (
        "Tilauspäivä Sähköposti Etunimi Sukunimi Kaupunki Maa Loppusumma Valuutta Tilausnumero",
        "Tuotteet Tuotekoodi Nimi Hinta Määrä",
    ),
    "objednávky": (
        "datum_vytvoření e-mail jméno příjmení město země celková_částka měna číslo_objednávky",
        "položky kód název cena množství",
    ),
    "rendelések": (
        "dátum email_cím keresztnév vezetéknév város ország végösszeg pénznem rendelésszám",
        "tételek cikkszám megnevezés egységár mennyiség",
    ),
    "注文": (
        "注文日時 メールアドレス 名 姓 市区町村 国 合計金額 通貨 注文番号",
        "商品一覧 商品コード 商品名 単価 数量",
    ),
    "订单": (
        "下单时间 邮箱 名字 姓氏 城市 国家 订单金额 币种 订单号",
        "商品列表 商品编号 商品名称 单价 数量",
    ),
    "주문": (
        "주문일시 이메일 이름 성 도시 국가 결제금액 통화 주문번호",
        "상품목록 상품코드 상품명 단가 수량",
    ),
    "заказы": (
        "дата_заказа почта имя фамилия город страна сумма валюта номер_заказа",
        "товары артикул название цена количество",
    ),
    "παραγγελίες": (
        "ημερομηνία email όνομα επώνυμο πόλη χώρα σύνολο νόμισμα αριθμός_παραγγελίας",
        "προϊόντα κωδικός περιγραφή τιμή ποσότητα",
    ),
}


@pytest.mark.parametrize("stream", SHOPS)
def test_shop_is_read_in_its_language(stream: str):
    """Orders are found by the words of their language, with or without accents and prefixes."""
    columns, items = SHOPS[stream]
    names = columns.split()
    at, em, fn, ln, ct, country, value, currency, number = names
    products, code, title, price, quantity = items.split()
    row = {
        at: ago(),
        em: "jane@example.com",
        fn: "Jane",
        ln: "Doe",
        ct: "Somewhere",
        country: "IT",
        value: "19.90",
        currency: "EUR",
        number: "A-7",
        products: [{"id": 1, code: "K", title: "Mug", price: 19.9, quantity: 1}],
    }
    entry = suggested(stream, row, key=number)
    assert Trial([entry]).in_words() == {stream: "1 of 1 tried become events"}
    assert entry.mapping()["defaults"]["event_name"] == "checkout"
    found = {column.strip('"'): path.rpartition(".")[2] for column, path in mapped(entry).items()}
    assert [found.get(name) for name in names] == list(FIELDS)
    contents = entry.mapping()["fields"][CONTENTS].replace('"', "")
    members = f"id: {code}, item_name: {title}, item_price: {price}, quantity: {quantity}"
    assert contents == f"{products}[].{{{members}}}"


@pytest.mark.parametrize(
    ("columns", "when"),
    [
        (("tila", "maksettu", "peruttu"), "tila == 'maksettu'"),
        (("x", "zaplaceno", "stornováno"), "x == 'zaplaceno'"),
        (("x", "odendi", "iptal"), "x == 'odendi'"),
        (("x", "paid", "paid"), None),
        (("x", "paid", "blue"), None),
        (("x", "open", "cancelled"), None),
    ],
)
def test_column_of_states_says_which_rows_are_sales(
    columns: tuple[str, str, str], when: str | None
):
    """States are known by their words, whatever the column's name; one state decides nothing."""
    name, *states = columns
    rows = [{**order(), "id": number, name: state} for number, state in enumerate(states)]
    assert suggested("orders", *rows).mapping().get("when") == when


ORDER = {"id": 7, "created_at": ago, "email": "jane@example.com"}


def order(**columns: Any) -> dict[str, Any]:
    return {**ORDER, "created_at": ago(), **columns}


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("sources", {"id": "src", "name": "Jane", "amount": 5, "brand": "Visa"}),
        ("cards", {"id": "card", "brand": "Visa", "name": "Jane", "last4": "4242"}),
        ("addresses", {"id": 1, "name": "Home", "city": "Rome"}),
        ("tax_rates", {"id": 1, "description": "VAT", "percentage": 20}),
        ("tax_lines", {"title": "VAT", "price": "3.80", "rate": 0.2}),
        ("shipping_lines", {"id": 1, "title": "Post", "price": "4.90"}),
        ("fees", {"id": 1, "amount": {"amount": "0.30"}}),
        ("refunds", {"id": 1, "amount": 5, "quantity": 1}),
        ("discount_codes", {"code": "X", "name": "Sale", "amount": "5.00"}),
        ("transactions", {"id": 1, "amount": "19.90", "name": "sale"}),
        ("phones", {"id": 1, "label": "home", "number": "+12025550134"}),
        ("options", {"id": 1, "name": "Color", "price": 1}),
        ("history", {"id": 1, "name": "created", "count": 1}),
        ("zahlungen", {"id": 1, "bezeichnung": "Rate", "preis": 5}),
    ],
)
def test_list_of_other_things_is_no_contents(name: str, thing: dict[str, Any]):
    """Cards, addresses, taxes and refunds have ids, names and amounts, and are no products."""
    entry = suggested("orders", order(**{name: [thing]}))
    assert [line for line in entry.fields if line.name == CONTENTS] == []
    assert f"{name} (a list)" in " ".join(entry.notes)


@pytest.mark.parametrize(
    ("name", "product", "members"),
    [
        ("line_items", {"id": 1, "quantity": 1}, "id: id, quantity: quantity"),
        ("line_items", {"id": 1, "sku": "A", "price": 5}, "id: sku, item_price: price"),
        ("line_items", {"id": 1, "product": {"id": 2}, "qty": 1}, "id: product.id, quantity: qty"),
        ("x", {"sku": "A", "qty": 2}, "id: sku, quantity: qty"),
        ("x", {"product_id": 3, "amount": 5}, "id: product_id, item_price: amount"),
        ("x", {"ref": "A", "prix": "5,00"}, f"id: ref, item_price: {comma_as_point('prix')}"),
        (
            "line_items",
            {"id": 1, "price": {"product": "p", "unit_amount": 5}, "amount": 10, "quantity": 2},
            "id: price.product, item_price: price.unit_amount, quantity: quantity",
        ),
    ],
)
def test_list_of_products_is_contents(name: str, product: dict[str, Any], members: str):
    """A list is of products by its name, or by a product's id beside a price or a quantity."""
    entry = suggested("orders", order(**{name: [product]}))
    assert entry.mapping()["fields"][CONTENTS] == f"{name}[].{{{members}}}"


@pytest.mark.parametrize(
    ("columns", "contents"),
    [
        (
            {"livemode": True, "lines": [{"sku": "A", "amount": 995, "quantity": 2}]},
            "lines[].{id: sku, item_price: divide(amount, `100`), quantity: quantity}",
        ),
        (
            {"total": 19.9, "items": [{"sku": "A", "unit_price_cents": 995, "qty": 2}]},
            "items[].{id: sku, item_price: divide(unit_price_cents, `100`), quantity: qty}",
        ),
        ({"amount": "19.90", "qty": "2", "sku": "A"}, "[{id: sku, quantity: qty}]"),
        ({"amount": "19.90", "sku": "A"}, "[{id: sku, item_price: amount}]"),
        (
            {"livemode": True, "amount": 1990, "sku": "A"},
            "[{id: sku, item_price: divide(amount, `100`)}]",
        ),
        ({"betrag": "19,90", "sku": "A"}, f"[{{id: sku, item_price: {comma_as_point('betrag')}}}]"),
    ],
)
def test_prices_of_products_are_in_the_unit_of_the_value(columns: dict[str, Any], contents: str):
    """An amount in the smallest unit is divided wherever it is, and none is a quantity."""
    entry = suggested("orders", order(**columns))
    assert entry.mapping()["fields"][CONTENTS] == contents


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        ({"c2": ago(), "c3": "jane@example.com"}, {"event_time": "c2", "user_data.em": "c3"}),
        ({"c2": ago(), "c5": "EUR"}, {"event_time": "c2", "custom_data.currency": "c5"}),
        ({"c2": ago(), "changed_at": ago()}, {"event_time": "c2"}),
        ({"c2": ago(), "c3": ago()}, {}),
        ({"c2": 1795706263}, {}),
        ({"c2": ago(), "updated_at": ago()}, {"event_time": "c2"}),
        ({"ausgeliefert_am": ago(), "delivered_at": ago()}, {}),
        ({"geburtsdatum": "1980-02-03"}, {"user_data.db": "geburtsdatum"}),
        ({"c2": ago(), "dob": "1980-02-03"}, {"event_time": "c2", "user_data.db": "dob"}),
        ({"syntymäaika": "1980-02-03"}, {"user_data.db": "syntymäaika"}),
        ({"datum_narození": "1980-02-03"}, {"user_data.db": "datum_narození"}),
        ({"生年月日": "1980-02-03"}, {"user_data.db": "生年月日"}),
        ({"дата_рождения": "1980-02-03"}, {"user_data.db": "дата_рождения"}),
        ({"c4": "EUR", "c5": "EUR"}, {}),
        ({"c4": "+49 30 23125100"}, {}),
    ],
)
def test_only_column_of_a_shape_is_the_field(columns: dict[str, Any], fields: dict[str, str]):
    """If no name says it, the only column of times or of currencies is that field's."""
    found = suggested("orders", columns).mapping().get("fields", {})
    found = {field: str(column).strip('"') for field, column in found.items()}
    assert {field: found[field] for field in fields} == fields
    unexpected = {"event_time", "custom_data.currency", "user_data.ph"}.difference(fields)
    assert unexpected.isdisjoint(found)


def test_object_in_json_text_is_no_value_itself():
    """A column that is declared as text and has objects is mapped by their members only."""
    entry = suggested("orders", order(customer='{"id": 5, "mail": "jane@example.com"}'))
    assert mapped(entry)["customer.id"] == "user_data.external_id"
    assert "customer" not in mapped(entry)


@pytest.mark.parametrize(
    ("columns", "preset"),
    [
        ({"captured": True, "status": "succeeded"}, "stripe"),
        ({"status": "succeeded", "client_secret": "x", "latest_charge": "ch_1"}, None),
    ],
)
def test_object_that_a_preset_does_not_know_is_mapped_by_its_columns(
    columns: dict[str, Any], preset: str | None
):
    """Stripe's payment intents have the columns of charges, and are sales without the preset."""
    entry = suggested(
        "payment_intents",
        {
            "id": "x_1",
            "object": "charge" if preset else "payment_intent",
            "created": unix(),
            "amount": 1990,
            "currency": "usd",
            "receipt_email": "jane@example.com",
            "livemode": True,
            **columns,
        },
    )
    assert entry.mapping().get("preset") == preset
    assert Trial([entry]).in_words() == {"payment_intents": "1 of 1 tried become events"}


@pytest.mark.parametrize(
    ("columns", "source"),
    [
        ({"idfa": MAID}, "app_ios"),
        ({"gaid": MAID}, "app_android"),
        ({"idfa": MAID, "adid": None}, "idfa && 'app_ios' || adid && 'app_android' || 'web'"),
        ({"advertising_id": MAID}, "web"),
        ({"ad_id": "ag:120"}, "web"),
    ],
)
def test_ids_of_devices_say_which_app_it_was(columns: dict[str, Any], source: str):
    """The source is the app's by whose advertising id there is; an ad's id is no device's."""
    row = {"id": "e", "event": "purchase", "ts": unix(), "email": "jane@example.com", **columns}
    entry = suggested("events", row)
    [line] = [line for line in (*entry.fields, *entry.defaults) if line.name == "action_source"]
    assert line.value == source
    assert Trial([entry]).in_words() == {"events": "1 of 1 tried become events"}


@pytest.mark.parametrize(
    ("columns", "field", "expected"),
    [
        (
            {"account_country": "US", "customer_address": {"country": "DE"}},
            "user_data.country",
            "customer_address.country",
        ),
        ({"receipt_number": None, "order_no": "A-7"}, "event_id", "order_no"),
        ({"completed_at": None, "created_at": ago()}, "event_time", "created_at"),
        (
            {
                "totalTaxSet": {"presentmentMoney": {"amount": "1.00"}},
                "totalDutiesSet": {"presentmentMoney": {"amount": "2.00"}},
                "totalPriceSet": {"presentmentMoney": {"amount": "9.00"}},
            },
            "custom_data.value",
            "totalPriceSet.presentmentMoney.amount",
        ),
        ({"livemode": True, "total": 1990}, "custom_data.value", "divide(total, `100`)"),
        ({"destination": {"city": "Rome"}, "city": "Bonn"}, "user_data.ct", "city"),
    ],
)
def test_column_with_values_of_the_customer_is_preferred(
    columns: dict[str, Any], field: str, expected: str
):
    """Of several columns the one is mapped that has values, and is of the customer and the order."""
    entry = suggested("orders", order(**columns))
    assert entry.mapping()["fields"][field] == expected


def test_columns_without_a_field_begin_with_those_that_could_be_one():
    """However many columns there are, those whose values look like a missing field are named."""
    row = order(**{f"c{number}": number for number in range(40)}, schluss="+12025550134")
    [note] = [note for note in suggested("orders", row).notes if "No rule" in note]
    assert "for: schluss (phone numbers: user_data.ph?), c0" in note
