"""Countries and North American states by every name senders write, as their ISO codes.

The countries' codes, and their names in English and French, are Babel's (from CLDR). Here stand the other names that
senders use, a country's own language among them: Babel has those too, but to load its hundred languages costs 75 MB.
States: ISO 3166-2:US and :CA.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

_OTHER_NAMES = """
AE UAE
AL Shqipëria
AT Österreich
BE België
BL St. Barts
BN Brunei Darussalam
BQ Bonaire
BR Brasil
BS The Bahamas
CC Cocos Islands
CD Democratic Republic of the Congo|République démocratique du Congo|DR Congo|RDC
CG Congo|Republic of the Congo|République du Congo
CH Schweiz|Svizzera
CI Ivory Coast
CV Cabo Verde
CZ Czech Republic|République tchèque|Česko|Česká republika
DE Deutschland
DK Danmark
DO República Dominicana
EE Eesti
ES España
FI Suomi
FK Îles Falkland
GB UK|Great Britain|Grande-Bretagne|England|Angleterre|Scotland|Écosse|Wales|Pays de Galles
GB Northern Ireland|Irlande du Nord
GM The Gambia
GS South Georgia and the South Sandwich Islands|Géorgie du Sud et îles Sandwich du Sud
HK Hong Kong
HM Heard Island and McDonald Islands|Îles Heard et McDonald
HR Hrvatska
HU Magyarország
IE Éire|Republic of Ireland
IR Islamic Republic of Iran
IS Ísland
IT Italia
KG Kirghizistan
KR Republic of Korea|Korea
LA Lao People's Democratic Republic
LT Lithuanie|Lietuva
LV Latvija
MD Republic of Moldova
MK Macedonia|Macédoine
MM Myanmar|Birmanie|Burma
MO Macao|Macau
MU Île Maurice
NL Nederland|The Netherlands|Holland
NO Norge
PL Polska
PN Pitcairn
PS Palestine|State of Palestine
RU Russian Federation
SE Sverige
SI Slovenija
SK Slovensko
SY Syrian Arab Republic
SZ Swaziland
TL East Timor
TR Turkey
TZ United Republic of Tanzania
UM United States Minor Outlying Islands
US United States of America|États-Unis d'Amérique|America
VA Vatican|Holy See|Saint-Siège
VC Saint Vincent and the Grenadines
VE Bolivarian Republic of Venezuela
VI Îles Vierges américaines
XK XKX
"""  # alpha-2, names
_FORMER = frozenset({"BUR", "DDR", "FXX", "TMP", "XKK", "YMD", "ZAR"})  # alpha-3 codes of countries that were
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
"""Territories of CLDR that are no countries of ISO 3166-1. (XK, Kosovo, is none either, but payment processors use it.)"""

_US_STATES = """
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware
DC District of Columbia|DC Washington DC|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa
KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi
MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York
NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina
SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin
WY Wyoming|AS American Samoa|GU Guam|MP Northern Mariana Islands|PR Puerto Rico|VI U.S. Virgin Islands
"""
_CA_PROVINCES = """
AB Alberta|BC British Columbia|BC Colombie-Britannique|MB Manitoba|NB New Brunswick|NB Nouveau-Brunswick
NL Newfoundland and Labrador|NL Terre-Neuve-et-Labrador|NS Nova Scotia|NS Nouvelle-Écosse|NT Northwest Territories
NT Territoires du Nord-Ouest|NU Nunavut|ON Ontario|PE Prince Edward Island|PE Île-du-Prince-Édouard|QC Quebec
SK Saskatchewan|YT Yukon
"""


def country_by_name(name: str) -> str | None:
    """The upper-case alpha-2 code of a country's code (alpha-2 or alpha-3) or name; None when it is none of these."""
    return _country_index().get(fold(name))


def state_by_name(name: str, country: str | None) -> str | None:
    """The upper-case two-letter code of a US state or Canadian province; of either when ``country`` is unknown."""
    key = fold(name)
    for code in (country,) if country else ("US", "CA"):
        found = _state_index(code).get(key)
        if found:
            return found
    return None


def fold(name: str) -> str:
    """Lower-case letters without accents, spaces or signs, to compare names by; other scripts keep their letters."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("&", "and"))
    return "".join(letter for letter in decomposed if letter.isalpha())


@cache
def _country_index() -> dict[str, str]:
    from babel.core import Locale, get_global  # 50 ms and 8 MB, for those who are asked about a country

    languages: list[Mapping[str, str]] = [Locale(language).territories for language in ("en", "fr")]
    countries = {code for code in languages[0] if len(code) == 2 and code.isalpha()} - _NO_COUNTRIES
    index: dict[str, str] = {}
    for code in countries:
        index |= {fold(names[code].replace("St.", "Saint")): code for names in languages}
        index |= {fold(names[code]): code for names in languages}
    for alpha3, meant in get_global("territory_aliases").items():  # and numbers, and codes that countries had
        is_alpha3 = len(alpha3) == 3 and alpha3.isalpha() and alpha3 not in _FORMER
        if is_alpha3 and len(meant) == 1 and meant[0] in countries:
            index[fold(alpha3)] = meant[0]
    for row in _OTHER_NAMES.strip().splitlines():
        code, names = row.split(" ", 1)
        index |= {fold(name): code for name in names.split("|")}
    return index | {fold(code): code for code in countries}


@cache
def _state_index(country: str) -> dict[str, str]:
    table = {"US": _US_STATES, "CA": _CA_PROVINCES}.get(country, "")
    rows = [row.split(" ", 1) for line in table.strip().splitlines() for row in line.split("|")]
    return {fold(name): code for code, state in rows for name in (state, code)}
