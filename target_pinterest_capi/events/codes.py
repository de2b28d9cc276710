"""Codes for the normal forms, and the words for them.

Countries, states, currencies, languages and genders, as plain data: `normalize` matches strings
against them. ISO 3166 itself is in the package `iso3166`; here is what people write in addition.
"""

from typing import Final

import iso3166

ALPHA_2: Final = frozenset(row.alpha2.lower() for row in iso3166.countries)
ALPHA_3: Final = {row.alpha3.lower(): row.alpha2.lower() for row in iso3166.countries}

# Where US postal codes are used (USPS Publication 28, appendix B): states, territories and
# associated states.
US_POSTAL: Final = frozenset({"us", "pr", "vi", "gu", "as", "mp", "um", "fm", "mh", "pw"})

# Without what follows the comma, these ISO names would mean two countries.
_TWO_COUNTRIES: Final = frozenset({"Congo", "Korea", "Virgin Islands"})

# English names and codes in use that are not in ISO 3166. "Korea" and "Virgin Islands" stay
# unknown, because each is two places.
_OTHER_NAMES: Final = {
    "ae": ("UAE", "U.A.E.", "Emirates"),
    "ax": ("Åland",),
    "bn": ("Brunei",),
    "bq": ("Caribbean Netherlands", "Bonaire, Saint Eustatius and Saba"),
    "cd": ("DR Congo", "DRC", "Congo Kinshasa", "Zaire"),
    "cg": ("Republic of the Congo", "Congo Brazzaville"),
    "ci": ("Ivory Coast",),
    "cn": ("People's Republic of China", "PRC", "Mainland China"),
    "cv": ("Cape Verde",),
    "cz": ("Czech Republic",),
    "de": ("Federal Republic of Germany",),
    "fm": ("Micronesia",),
    "gb": (
        "UK",
        "United Kingdom",
        "Great Britain",
        "Britain",
        "England",
        "Scotland",
        "Wales",
        "Northern Ireland",
    ),
    "hk": ("Hong Kong SAR", "Hong Kong SAR China"),
    "ie": ("Republic of Ireland", "Eire"),
    "kg": ("Kyrgyz Republic",),
    "kn": ("St Kitts",),
    "kp": ("North Korea", "DPRK"),
    "kr": ("South Korea", "Korea South"),
    "la": ("Laos", "Lao PDR"),
    "mk": ("Macedonia",),
    "mm": ("Burma",),
    "mo": ("Macau", "Macao SAR", "Macau SAR China"),
    "nl": ("Holland",),
    "nr": ("Nauru",),
    "pn": ("Pitcairn Islands",),
    "ps": ("Palestine", "Palestinian Territories"),
    "pw": ("Belau",),
    "ru": ("Russia",),
    "sh": ("St Helena",),
    "sk": ("Slovak Republic",),
    "st": ("Sao Tome",),
    "sx": ("Saint Martin (Dutch part)",),
    "sy": ("Syria",),
    "sz": ("Swaziland",),
    "tl": ("East Timor",),
    "tr": ("Turkey",),
    "tw": ("Taiwan",),
    "um": ("United States (US) Minor Outlying Islands",),
    "us": ("United States", "America", "U.S. of America"),
    "va": ("Vatican", "Vatican City", "Vatican City State"),
    "vc": ("St Vincent",),
    "vi": ("US Virgin Islands", "United States Virgin Islands"),
    "vn": ("Vietnam",),
}

# Names of countries in their own languages.
_OWN_NAMES: Final = {
    "ae": ("الإمارات",), "al": ("Shqipëria",), "am": ("Հայաստան",), "at": ("Österreich",),
    "be": ("België", "Belgique", "Belgien"), "bg": ("България",), "br": ("Brasil",),
    "by": ("Беларусь",), "ch": ("Schweiz", "Suisse", "Svizzera"), "cn": ("中国",),
    "cy": ("Κύπρος",), "cz": ("Česko", "Česká republika"), "de": ("Deutschland",),
    "dk": ("Danmark",), "do": ("República Dominicana",), "ee": ("Eesti",), "eg": ("مصر",),
    "es": ("España",), "fi": ("Suomi",), "ge": ("საქართველო",), "gr": ("Ελλάδα", "Ελλάς"),
    "hr": ("Hrvatska",), "hu": ("Magyarország",), "il": ("ישראל",), "in": ("भारत",),
    "is": ("Ísland",), "it": ("Italia",), "jp": ("日本",), "kr": ("대한민국", "한국"),
    "kz": ("Қазақстан", "Казахстан"), "lt": ("Lietuva",), "lu": ("Lëtzebuerg", "Luxemburg"),
    "lv": ("Latvija",), "ma": ("Maroc", "المغرب"), "nl": ("Nederland",), "no": ("Norge", "Noreg"),
    "pl": ("Polska",), "rs": ("Srbija", "Србија"), "ru": ("Россия",),
    "sa": ("السعودية",), "se": ("Sverige",), "si": ("Slovenija",), "sk": ("Slovensko",),
    "th": ("ประเทศไทย", "ไทย"), "tn": ("Tunisie", "تونس"), "tw": ("台灣", "臺灣"),
    "ua": ("Україна",), "us": ("Estados Unidos",),
}  # fmt: skip


def _country_names() -> dict[str, str]:
    """Return alpha-2 in lower case by English name as written.

    ISO's names are also included without what follows a comma or is in parentheses.
    """
    names: dict[str, str] = {}
    for row in iso3166.countries:
        for name in (row.name, row.apolitical_name):
            short = name.partition(",")[0]
            for written in (
                name,
                name.partition(" (")[0],
                name if short in _TWO_COUNTRIES else short,
            ):
                names[written] = row.alpha2.lower()
    for others in (_OTHER_NAMES, _OWN_NAMES):
        names |= {name: code for code, written in others.items() for name in written}
    return names


COUNTRY_NAMES: Final = _country_names()

# US states, the district, the territories (USPS Publication 28, appendix B) and Canadian provinces
# (Canada Post).
STATE_NAMES: Final = {
    "Alabama": "al", "Alaska": "ak", "Arizona": "az", "Arkansas": "ar", "California": "ca",
    "Colorado": "co", "Connecticut": "ct", "Delaware": "de", "District of Columbia": "dc",
    "Washington DC": "dc", "Florida": "fl", "Georgia": "ga", "Hawaii": "hi", "Hawai'i": "hi",
    "Hawai\u02bbi": "hi",  # with an okina, which is a letter
    "Idaho": "id", "Illinois": "il", "Indiana": "in", "Iowa": "ia", "Kansas": "ks",
    "Kentucky": "ky", "Louisiana": "la", "Maine": "me", "Maryland": "md", "Massachusetts": "ma",
    "Michigan": "mi", "Minnesota": "mn", "Mississippi": "ms", "Missouri": "mo", "Montana": "mt",
    "Nebraska": "ne", "Nevada": "nv", "New Hampshire": "nh", "New Jersey": "nj",
    "New Mexico": "nm", "New York": "ny", "New York State": "ny", "Washington State": "wa",
    "North Carolina": "nc", "North Dakota": "nd", "Ohio": "oh", "Oklahoma": "ok", "Oregon": "or",
    "Pennsylvania": "pa", "Rhode Island": "ri", "South Carolina": "sc", "South Dakota": "sd",
    "Tennessee": "tn", "Texas": "tx", "Utah": "ut", "Vermont": "vt", "Virginia": "va",
    "Washington": "wa", "West Virginia": "wv", "Wisconsin": "wi", "Wyoming": "wy",
    "American Samoa": "as", "Guam": "gu", "Northern Mariana Islands": "mp", "Puerto Rico": "pr",
    "US Virgin Islands": "vi", "U.S. Virgin Islands": "vi", "Alberta": "ab",
    "British Columbia": "bc", "Manitoba": "mb", "New Brunswick": "nb", "Newfoundland": "nl",
    "Newfoundland and Labrador": "nl", "Newfoundland & Labrador": "nl",
    "Northwest Territories": "nt", "Nova Scotia": "ns", "Nunavut": "nu", "Ontario": "on",
    "Prince Edward Island": "pe", "Quebec": "qc", "Québec": "qc", "Saskatchewan": "sk",
    "Yukon": "yt", "Yukon Territory": "yt",
}  # fmt: skip

_PROVINCES: Final = ("ab", "bc", "mb", "nb", "nl", "nt", "ns", "nu", "on", "pe", "qc", "sk", "yt")


def country_of_state(code: str) -> str:
    """Return the country of a state or province of the names above."""
    return "ca" if code in _PROVINCES else "us"


# What may precede codes of digits: signs of vehicles (UN), codes of countries and of states. For
# Andorra, Azerbaijan, Latvia and Moldova it is part of the code.
_VEHICLES: Final = ("a", "b", "d", "e", "f", "fin", "h", "i", "l", "n", "p", "s")
POSTAL_PREFIXES: Final = ALPHA_2.union(_VEHICLES, STATE_NAMES.values()) - {"ad", "az", "lv", "md"}

# Signs that only one currency has: neither $, nor \u00a3 or \u00a5, nor kr.
CURRENCY_SYMBOLS: Final = {
    "\u20ac": "EUR", "us$": "USD", "r$": "BRL", "a$": "AUD", "au$": "AUD", "ca$": "CAD",
    "hk$": "HKD", "nt$": "TWD", "nz$": "NZD", "mx$": "MXN", "\u20a9": "KRW", "\u20aa": "ILS",
    "\u20ab": "VND", "\u20b4": "UAH", "\u20b8": "KZT", "\u20b9": "INR", "\u20ba": "TRY",
    "\u20bd": "RUB", "z\u0142": "PLN", "k\u010d": "CZK",
}  # fmt: skip

# ISO 4217, list one as amended to 2025, without XTS (for tests) and XXX (no currency).
CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP
    BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB
    EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD
    JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
    RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND
    TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA
    XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG
""".split()  # noqa: SIM905 - read as a list of codes
)

LANGUAGES: Final = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy
    hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg
    li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or
    os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
""".split()  # noqa: SIM905 - read as a list of codes
)

# Codes that ISO 639-1 withdrew but Java and Android still send.
WITHDRAWN_LANGUAGES: Final = {"iw": "he", "in": "id", "ji": "yi"}

# Words by the code that Pinterest hashes. Numbers mean different genders in different systems, so
# there are none.
# What shops call a customer's first order, and any later one.
CUSTOMER_TYPES: Final = {
    "new": (
        "new",
        "new customer",
        "first",
        "first time",
        "first timer",
        "first time buyer",
        "first order",
        "acquired",
        "neukunde",
        "nouveau",
        "nuevo",
    ),
    "returning": (
        "returning",
        "returning customer",
        "return",
        "repeat",
        "repeat customer",
        "repeat buyer",
        "existing",
        "existing customer",
        "recurring",
        "loyal",
        "bestandskunde",
        "recurrente",
    ),
}

GENDERS: Final = {
    "f": (
        "f",
        "female",
        "feminine",
        "woman",
        "girl",
        "w",
        "weiblich",
        "femme",
        "féminin",
        "mujer",
        "femenino",
        "feminino",
    ),
    "m": (
        "m",
        "male",
        "masculine",
        "man",
        "boy",
        "männlich",
        "homme",
        "masculin",
        "hombre",
        "masculino",
        "homem",
    ),
    "n": (
        "n",
        "non-binary",
        "nb",
        "enby",
        "x",
        "diverse",
        "divers",
        "genderqueer",
        "neutral",
        "other",
    ),
}
