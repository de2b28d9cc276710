"""Words that many systems share, in names of streams and in values: events, states, sales.

They may be shown, because they are public, whoever sends them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, get_args

from target_pinterest_capi.events.characters import letters_and_digits
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.settings.objects import Preset
from target_pinterest_capi.suggestions.words import listed, without_accents

# Pinterest's event for what a stream's rows are, one name per word. The first match decides.
EVENT_BY_STREAM: Final = {
    "initiate_checkout": "abandoned_checkout checkout_started",
    "add_to_cart": "cart basket warenkorb carrito panier carrello add_to_cart",
    "add_to_wishlist": "wishlist favorite favourite merkzettel",
    "subscribe": "subscription abonnement abo suscripcion",
    "start_trial": "trial",
    "schedule": "appointment termin cita rendez_vous",
    "contact": "contact_message",
    "lead": """
        lead form_submission form_entry enquiry inquiry quote_request anfrage kontaktanfrage
        contact_request opportunity prospect
    """,
    "checkout": """
        order bestellung auftrag auftraege pedido commande ordine ordini sale verkauf venta vente
        vendita vendite purchase kauf compra achat transaction charge payment_intent payment invoice
        rechnung factura facture receipt booking buchung reserva bestelling zamowienie zamowienia
        siparis siparisler ordrar ordre objednavka objednavky acquisto acquisti tilaus tilaukset
        rendeles rendelesek 注文 订单 주문 заказ заказы παραγγελια παραγγελιες
    """,
    "signup": """
        signup sign_up registration registrierung customer user account kunde cliente clienti
        client benutzer usuario utilisateur klant klanten gebruiker klient klienci musteri
        musteriler asiakas asiakkaat zakaznik zakaznici ugyfel ugyfelek 顧客 客户 고객
        клиент клиенты πελατης πελατες
    """,
    "page_visit": "page_view pageview page visit",
    "search": "search suche busqueda recherche",
    "view_content": "product_view product_viewed item_view",
    "app_install": "install app_install",
}
# Streams whose rows are not events of a person, whatever else is in the name: order_items, refunds.
NO_EVENT: Final = """
    refund return chargeback dispute cancellation credit_note payout balance shipment delivery
    fulfillment fulfilment item line position product variant inventory stock review coupon discount
    tax transfer draft metafield history audit log erstattung retoure storno lieferung artikel
    produkt lager remboursement retour livraison article produit devolucion reembolso envio producto
"""
# A stream of people for a customer list, not of events.
LIST_STREAMS: Final = frozenset(
    listed("member audience newsletter subscriber segment vip mailing_list membership abonnent")
)
# What a plural adds to a name: orders, Bestellungen, Kunden, boxes, ventes.
PLURALS: Final = frozenset({"", "s", "es", "n", "en", "e"})
# A sale in a store, by words in the name of a stream, and by those in names of columns.
IN_STORE: Final = frozenset(
    listed("store pos till retail counter kasse filiale tienda tpv magasin negozio offline")
)
TILL_COLUMNS: Final = frozenset(listed("pos till receipt kasse kassenbon filiale tpv terminal"))
# Names of events in addition to those of the presets and Pinterest.
OTHER_EVENTS: Final = {
    "order placed": "checkout",
    "order created": "checkout",
    "order paid": "checkout",
    "purchase completed": "checkout",
    "charged": "checkout",
    "booking confirmed": "checkout",
    "booking completed": "checkout",
    "payment succeeded": "checkout",
    "begin checkout": "initiate_checkout",
    "account created": "signup",
    "user registered": "signup",
    "registration completed": "signup",
    "sign up": "signup",
    "lead created": "lead",
    "form submitted": "lead",
    "added to cart": "add_to_cart",
    "page viewed": "page_visit",
    "view item": "view_content",
    "app opened": "app_open",
    "app installed": "app_install",
    "trial started": "start_trial",
}
# States of an order, of a payment or of a member.
BOUGHT: Final = listed("""
    paid completed complete processing succeeded success fulfilled captured shipped delivered
    bezahlt abgeschlossen versendet pagado completado enviado paye payee terminee expediee pagato
    pago pagado_total concluido completato betaald afgerond verzonden oplacone zaplacone
    zrealizowane odendi tamamlandi betald betalt partially_refunded maksettu toimitettu zaplaceno
    uhrazeno fizetve kifizetve
""")
NOT_BOUGHT: Final = listed("""
    open pending cancelled canceled refunded failed voided draft authorized expired declined
    returned unpaid rejected on_hold incomplete requires_payment_method offen storniert ausstehend
    pendiente cancelado en_attente annulee annule annullato pendente aguardando_pagamento
    geannuleerd openstaand anulowane nieoplacone iptal beklemede avbruten annulleret peruttu avoin
    stornovano nezaplaceno torolve fizetesre_var
""")
JOINS_AND_LEAVES: Final = listed(
    "subscribe unsubscribe add remove insert delete enter exit join leave"
)
_EVENT_PRESETS: Final = ("segment", "rudderstack", "ga4", "snowplow")
_LONGEST_WORD: Final = 64


@cache
def known_events() -> Mapping[str, str | None]:
    """Return Pinterest's name, or None for an event that is never sent, by `word`."""
    found: dict[str, str | None] = {}
    for name in _EVENT_PRESETS:
        if name in get_args(Preset):
            names = presets.load(name, ()).event_names
            found.update({word(own): target for own, target in names.items()})
    found.update({word(name): name for name in EVENT_NAMES})
    return found | {word(name): target for name, target in OTHER_EVENTS.items()}


def word(text: str) -> str:
    """Return a value as words are compared: letters without accents, digits, in lower case."""
    return letters_and_digits(without_accents(text))


_BOUGHT_WORDS: Final = frozenset(map(word, BOUGHT))
_NOT_BOUGHT_WORDS: Final = frozenset(map(word, NOT_BOUGHT))
_MEMBER_WORDS: Final = frozenset(map(word, JOINS_AND_LEAVES))


def is_known_word(text: str) -> bool:
    """Return whether a value is one of the words that may be shown."""
    if len(text) > _LONGEST_WORD or not all(char.isalnum() or char in " _-.:" for char in text):
        return False
    found = word(text)
    return is_state(text) or found in _MEMBER_WORDS or found in known_events()


def is_state(text: str) -> bool:
    """Return whether a value is a state of an order."""
    return word(text) in _BOUGHT_WORDS or word(text) in _NOT_BOUGHT_WORDS


def is_bought(text: str) -> bool:
    """Return whether a state says that something was bought."""
    return word(text) in _BOUGHT_WORDS


def is_join_or_leave(text: str) -> bool:
    """Return whether a value says that somebody joins or leaves a list."""
    return word(text) in _MEMBER_WORDS
