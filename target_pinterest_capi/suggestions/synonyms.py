"""Names that people, shops and databases use for Pinterest's fields, in several languages.

One table for two uses: `suggest` looks columns up in it, and `fields` what somebody asks for. Names
in a row are in the order of preference. Case, separators, accents and a plural s do not count
(`words.key`).
"""

from typing import Final, NamedTuple


class Names(NamedTuple):
    """The names of a field: `certain` ones have it, `possible` ones may.

    Those of `beside` have it if a column of the other field is in the same stream.
    """

    certain: str = ""
    possible: str = ""
    beside: tuple[str, str] = ("", "")


NAMES: Final = {
    "event_name": Names(possible="action conversion goal event_type activity ereignis evento"),
    "action_source": Names("action_source", "channel source platform"),
    "event_time": Names(
        """
        event_time event_timestamp event_datetime occurred_at happened_at order_date ordered_at
        order_created_at purchased_at purchase_date placed_at processed_at paid_at sold_at sale_date
        transaction_date booked_at completed_at submitted_at signed_up_at registered_at
        registration_date bestelldatum bestellt_am auftragsdatum kaufdatum fecha_pedido fecha_compra
        date_commande date_achat data_ordine data_acquisto data_pedido data_compra
        besteldatum orderdatum ordredato data_zamowienia siparis_tarihi order_dt created_at created
        date_created create_date created_date createdate date_added joined_at initiation_date
        creation_date created_on erstellt_am angelegt_am erstellt fecha_creacion fecha_alta fecha
        date_creation date_add data_criacao data_creazione aangemaakt_op olusturma_tarihi
        original_timestamp created_time timestamp server_time datetime date datum dato tarih
        time_local time ts
        tilauspaiva tilausaika datum_vytvoreni datum_objednavky rendeles_datuma 注文日時 下单时间
        주문일시 дата_заказа ημερομηνια luotu vytvoreno letrehozva 作成日時 登録日時
        创建时间 가입일시
        """,
        "zeit hora data changed_at updated_at modified_at updated modified",
    ),
    "event_id": Names(
        "event_id event_uuid message_id insert_id dedup_id deduplication_id uuid",
        "dedup deduplication",
    ),
    "event_source_url": Names(
        "event_source_url page_url page_location source_url url",
        "page referrer referer link location",
    ),
    "opt_out": Names(
        possible="""
        opt_out consent gdpr ccpa dnt do_not_track privacy opt_in unsubscribe unsubscribed
        """
    ),
    "advertiser_tracking_enabled": Names(
        "advertiser_tracking_enabled ad_tracking_enabled", "att consent limit_ad_tracking lat"
    ),
    "app_id": Names("app_id", "bundle_id package"),
    "os_version": Names("os_version", "os operating_system"),
    "language": Names("language locale lang customer_locale sprache idioma langue lingua"),
    "user_data.em": Names(
        """
        em email e_mail email_address e_mail_address mail mail_address emails customer_email
        emailadresse e_mail_adresse mailadresse kundenemail correo correo_electronico courriel
        adresse_email adresse_mail indirizzo_email posta_elettronica endereco_email epost e_post
        eposta e_posta e_mailadres e_mail_adres emailadres adres_email adres_e_mail epostadress
        sahkoposti sahkopostiosoite email_cim メールアドレス メール 邮箱 电子邮件 이메일 почта
        эл_почта ηλεκτρονικο_ταχυδρομειο
        """,
    ),
    "user_data.ph": Names(
        """
        ph phone phone_number phone_no telephone telephone_number tel telefon telefonnummer telefono
        telefone mobile mobile_phone mobile_number cell cell_phone handy handynummer mobiltelefon
        movil celular portable cellulare numero_telephone numero_de_telephone msisdn
        telefoonnummer telefoon mobiel telefonnr mobilnummer mobil cep_telefonu numer_telefonu
        puhelin puhelinnumero telefonszam 電話番号 手机号 电话 전화번호 телефон τηλεφωνο
        """,
        "contact_number",
    ),
    "user_data.ge": Names(
        "ge gender sex geschlecht sexo genero sexe sesso sukupuoli pohlavi cinsiyet plec 性別 성별"
    ),
    "user_data.db": Names(
        """
        db birth_date birthday birth_day date_of_birth dob geburtsdatum geburtstag fecha_nacimiento
        fecha_de_nacimiento date_naissance date_de_naissance data_nascita data_di_nascita
        data_nascimento syntymaaika syntymapaiva datum_narozeni szuletesi_datum dogum_tarihi
        data_urodzenia geboortedatum fodelsedatum 生年月日 誕生日 出生日期 生日 생년월일 생일
        дата_рождения ημερομηνια_γεννησης
        """,
        "birth born age",
    ),
    "user_data.ln": Names(
        """
        ln last_name surname family_name nachname familienname apellido nom_de_famille cognome
        sobrenome achternaam nazwisko soyad soyadi efternamn etternavn efternavn prijmeni
        name_last sukunimi vezeteknev 姓 姓氏 성 фамилия επωνυμο
        """,
        "name",
        ("user_data.fn", "nom name"),
    ),
    "user_data.fn": Names(
        """
        fn first_name forename given_name vorname prenom voornaam primer_nombre imie fornamn fornavn
        jmeno name_first etunimi keresztnev 名
        """,
        "name",
        ("user_data.ln", "nombre nome naam ad adi имя ονομα 名字 이름"),
    ),
    "user_data.ct": Names(
        """
        ct city town ort stadt wohnort ciudad ville citta cidade localidad poblacion stad plaats
        woonplaats miasto miejscowosc sehir by poststed mesto
        kaupunki paikkakunta varos 市区町村 城市 도시 город πολη
        """
    ),
    "user_data.st": Names(
        """
        st province province_code state_code region_code bundesland provincia kanton state_province
        uf wojewodztwo
        """,
        "county departement",
        ("user_data.ct", "state region estado"),
    ),
    "user_data.zp": Names(
        """
        zp zip zip_code postal_code postcode post_code plz postleitzahl cap code_postal
        codigo_postal cep cp postnummer postal kod_pocztowy posta_kodu psc
        postinumero iranyitoszam 郵便番号 邮编 우편번호 индекс
        """,
    ),
    "user_data.country": Names(
        """
        country country_code country_id country_iso country_iso_2 country_code_v2 land landescode
        laendercode pays code_pays pais codigo_pais paese nazione kraj ulke ctry zeme
        maa orszag 国 国家 국가 страна χωρα
        """,
        "nation",
    ),
    "user_data.external_id": Names(
        """
        external_id customer_id user_id customer_number customer_no crm_id member_id contact_id
        client_id kundennummer kunden_nr kunden_id id_cliente cliente_id numero_client id_client
        codice_cliente id_customer id_user klantnummer klant_id id_klienta musteri_no musteri_id
        customer_user_id cust_id uid customer
        """,
        "user shopper_id loyalty_card card account_id visitor_id anonymous_id",
    ),
    "user_data.hashed_maids": Names(
        "hashed_maids maid madid idfa gaid aaid advertising_id apple_idfa android_idfa ad_id",
        "device_id",
    ),
    "user_data.client_ip_address": Names(
        """
        client_ip_address ip ip_address client_ip browser_ip customer_ip customer_ip_address user_ip
        remote_ip remote_addr ipv4 ipv6 ip_adresse adresse_ip direccion_ip
        """,
    ),
    "user_data.client_user_agent": Names(
        "client_user_agent user_agent ua browser_user_agent customer_user_agent agente_usuario",
        "browser agent",
    ),
    "user_data.click_id": Names("click_id epik", "cookie epq click"),
    "user_data.partner_id": Names("", "rampid liveramp"),
    "user_data.customer_type": Names(
        "customer_type new_or_returning new_vs_returning visitor_type",
        "customer_status buyer_type customer_segment",
    ),
    "custom_data.currency": Names(
        """
        currency currency_code currency_iso iso_currency order_currency waehrung währung devise
        moneda divisa moeda valuta munteenheid waluta para_birimi mena curr curr_cd
        valuutta penznem 通貨 币种 통화 валюта νομισμα
        """,
    ),
    "custom_data.value": Names(
        """
        value grand_total order_total total_price total_amount amount_total total total_inc_tax
        order_value order_amount sale_total sale_amount
        purchase_value gesamtbetrag gesamtsumme bestellwert gesamtpreis
        importe_total monto_total montant_total valor_total total_ttc total_pedido total_commande
        revenue amount_paid amount betrag summe importe monto montant totale importo valor umsatz
        total_paid total_paid_tax_incl totale_ordine totaalbedrag kwota kwota_brutto tutar
        toplam_tutar summa belop beloeb gesamtsumme_brutto order_amt amt
        turnover subtotal subtotal_price unit_amount
        loppusumma yhteensa castka celkova_castka celkem vegosszeg osszeg 合計金額 金額 订单金额
        결제금액 금액 сумма συνολο
        """,
        "price sum preis precio prix",
    ),
    "custom_data.content_ids": Names(
        """
        sku product_id item_id variant_id product_sku article_id asin gtin ean artikelnummer
        artikel_nr
        """,
        "article",
    ),
    "custom_data.contents": Names(
        """
        contents line_items items products order_items order_lines lines positionen artikel
        articulos articles lineas lignes cart basket itens produtos produkte produits productos
        articoli prodotti righe producten orderregels produkty pozycje urunler varer rader
        bestellpositionen lignes_commande lineas_pedido
        tuotteet polozky tetelek 商品一覧 商品列表 상품목록 товары προιοντα
        """,
        "item product",
    ),
    "custom_data.contents[].id": Names(
        """
        product_id sku item_id variant_id product_sku article_id asin gtin ean artikelnummer
        artikel_nr artikel_id referenced_id product_number id_produit produit_id id_producto
        producto_id id_produto id_prodotto produkt_id id_produktu urun_id urun_kodu referencia
        reference ref articolo codigo codice kod varenummer
        tuotekoodi cikkszam 商品コード 商品编号 상품코드 артикул κωδικος price_product id
        """,
        "article product",
    ),
    "custom_data.contents[].item_name": Names(
        """
        item_name product_name title name label bezeichnung artikelname nombre nom libelle
        descripcion nome naam nazwa urun_adi navn namn
        nimi nazev megnevezes 商品名 商品名称 상품명 название περιγραφη
        """,
        "description",
    ),
    "custom_data.contents[].item_price": Names(
        """
        item_price unit_price price price_inc_tax einzelpreis preis stueckpreis precio_unitario
        precio prix_unitaire prix_unitaire_ttc prix preco_unitario preco prezzo_unitario prezzo
        stuksprijs prijs cena fiyat birim_fiyat pris unit_amount price_unit_amount fee
        hinta egysegar 単価 单价 단가 цена τιμη
        """,
        "amount",
    ),
    "custom_data.contents[].quantity": Names(
        """
        quantity qty qty_ordered menge anzahl cantidad unidades quantite qte quantita quantidade
        aantal ilosc adet antal antall units seats
        maara mnozstvi mennyiseg 数量 수량 количество ποσοτητα
        """,
        "count amount",
    ),
    "custom_data.contents[].item_category": Names(
        "item_category product_category category kategorie categoria categorie"
    ),
    "custom_data.contents[].item_brand": Names(
        "item_brand brand vendor manufacturer marke marca marque"
    ),
    "custom_data.num_items": Names(
        "num_items num_of_items number_of_items item_count items_total total_quantity",
        "quantity qty count",
    ),
    "custom_data.order_id": Names(
        """
        order_id order_number order_no increment_id bestellnummer bestell_nr bestellung_id
        auftragsnummer auftrags_nr numero_pedido id_pedido pedido_id numero_commande id_commande
        commande_id numero_ordine id_ordine id_order bestelnummer ordernummer ordrenummer
        nr_zamowienia numer_zamowienia id_zamowienia siparis_no siparis_id transaction_id receipt_id
        receipt_no receipt_number receipt invoice_id invoice_number booking_ref booking_id order_ref
        purchase_id payment_intent order
        tilausnumero cislo_objednavky rendelesszam 注文番号 订单号 주문번호 номер_заказа
        αριθμος_παραγγελιας
        """,
        "invoice reference pedido commande",
    ),
    "custom_data.search_string": Names(
        "search_string search_term search_query suchbegriff", "query keyword q"
    ),
    "custom_data.opt_out_type": Names(
        "opt_out_type", "ldp ccpa consent gdpr limited_data_processing privacy"
    ),
    "custom_data.content_name": Names(
        "content_name product_name product_title page_title", "title"
    ),
    "custom_data.content_category": Names(
        "content_category product_category category kategorie categoria categorie", "department"
    ),
    "custom_data.content_brand": Names(
        "content_brand brand marke marca marque", "vendor manufacturer"
    ),
    "custom_data.predicted_ltv": Names("predicted_ltv", "ltv clv lifetime_value"),
    "device_info.timezone": Names("", "tz time_zone"),
    "device_info.locale": Names("", "lang"),
}
