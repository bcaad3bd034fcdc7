# Alt, hvad borgerens sider siger, på dansk. Nøglerne er de samme i en.ftl; en test ser efter.

## Rammen om hver side

brand = Indrul
brand-what = National elektronisk identitet
skip = Gå til indholdet
language-label = Sprog
display-label = Visning
display-large = Større tekst
display-normal = Normal tekst
display-contrast = Høj kontrast
display-plain = Normal kontrast
footer-help = Har du brug for hjælp? Borgercenteret hjælper dig gratis.
footer-help-link = Få hjælp i Borgercenteret
footer-privacy = Siden henter intet fra andre, og den følger dig ikke.
step-of = Trin { $step } af { $steps }
back = Tilbage
continue = Fortsæt
error-title = Det skal rettes
error-what-now = Det kan du gøre nu:
required-js = Dette trin bruger kamera eller pas og kræver JavaScript. Slå JavaScript til i browseren, og hent siden igen. Kan du ikke det, kan Borgercenteret hjælpe dig.
helper-banner = Du hjælper en anden. Intet gemmes på denne enhed, når I er færdige.
helper-leave = Afslut og ryd enheden
resume-title = Du er i gang
resume-text = Du kan fortsætte, hvor du slap. Sagen lukker af sig selv, hvis den ikke bliver gjort færdig inden for en time.
resume-continue = Fortsæt, hvor jeg slap
resume-again = Begynd forfra
trouble-missing-title = Siden findes ikke
trouble-missing = Adressen fører ingen steder hen. Gå til begyndelsen.
trouble-form = Formularen kunne ikke læses, og intet er gemt. Gå tilbage, hent siden igen, og prøv en gang til.
trouble-origin-title = Siden blev ikke sendt herfra
trouble-origin = Formularen kom ikke fra vores egen side, og derfor er intet gemt. Gå tilbage, hent siden igen, og prøv en gang til.
trouble-session-title = Vi kan ikke finde din sag
trouble-session = Din sag er lukket, eller denne enhed kender den ikke. Begynd forfra: det tager omkring ti minutter.
trouble-title = Noget gik galt
trouble-internal = Noget gik galt hos os, og intet er gemt. Prøv igen om lidt.
trouble-busy = Der er mange lige nu. Vent et øjeblik, og prøv igen. Forsøget er ikke talt med.
trouble-start = Gå til begyndelsen

## 1 Det skal du bruge

start-title = Få din elektroniske identitet
start-lead = Du skal bruge dit pas og en telefon. Det tager omkring ti minutter, og du kan holde pause undervejs.
start-need-title = Det skal du bruge
start-need-passport = Et gyldigt pas med chip. Chippen har et lille guldmærke på omslaget.
start-need-phone = En telefon, der kan læse chippen (NFC), og som har et kamera. Tag coveret af telefonen: det er den hyppigste grund til, at chippen ikke kan læses.
start-need-number = Dit CPR-nummer.
start-need-contact = Et telefonnummer og en e-mailadresse, som kun du bruger.
start-need-light = Et sted med godt lys, så kameraet kan se passet og dit ansigt.
start-how-title = Sådan foregår det
start-how-consent = Du siger ja til vilkårene
start-how-page = Du viser passets side til kameraet
start-how-chip = Du holder passet til telefonen
start-how-face = Du viser dit ansigt
start-how-app = Du vælger bruger-id og aktiverer appen
start-time-consent = 2 minutter
start-time-page = 1 minut
start-time-chip = 1 minut
start-time-face = 1 minut
start-time-app = 5 minutter
start-who-title = Hvem kan bruge det?
start-who = Du skal være fyldt 13 år. Du får sikringsniveau Betydelig. Niveau Høj kan kun gives i et Borgercenter. Midlertidige pas og nødpas kan ikke bruges.
start-begin = Begynd
start-other-title = Hjælper du en anden?
start-other = Din telefon kan låne øjne og ører til en anden, uden at noget bliver liggende på den. Den anden skal selv sige ja til vilkårene og selv taste sine koder: kig væk imens.
start-other-begin = Hjælp en anden
start-no-title = Har du ikke pas eller telefon?
start-no = Så få din identitet i et Borgercenter.

## 2 Samtykke

consent-title = Det siger du ja til
consent-lead = Læs hver del, og sæt kryds. Uden de fire kryds kan vi ikke gå videre her på siden.
consent-version = Udgave { $version }
consent-terms = Vilkår
consent-terms-1 = Din elektroniske identitet er personlig. Du må kun bruge den selv, og du må ikke give andre dine koder.
consent-terms-2 = Vi udsteder den, når dit pas er ægte og gyldigt, dit ansigt er det samme som i passet, og du findes i CPR. Bliver du afvist, får du at vide hvorfor, og du kan klage til Borgercenteret.
consent-terms-3 = Du skal spærre din identitet, hvis andre kan have fået fat i den. En spærring virker med det samme.
consent-terms-agree = Jeg har læst vilkårene og siger ja til dem
consent-care = Gode råd om sikkerhed
consent-care-1 = Vælg en pinkode, som ingen kan gætte, og skriv den ikke ned. Hold hånden for, når du taster.
consent-care-2 = Godkend kun det, du selv har sat i gang. Vi ringer aldrig og beder om dine koder.
consent-care-3 = Hold telefonen opdateret, og lås skærmen.
consent-care-agree = Jeg har læst rådene og vil følge dem
consent-privacy = Dine oplysninger
consent-privacy-1 = Vi læser passets side og chip, slår dig op i CPR og spørger passets register, om passet er meldt bortkommet. Hvert opslag bliver skrevet ned med formål.
consent-privacy-2 = Billedet af dit ansigt bliver ikke gemt. Det, vi læser fra passet, ligger forseglet, mens sagen er åben. Når den slutter, bliver nøglen slettet, og så kan ingen læse det.
consent-privacy-3 = Tilbage bliver beviset for, at passet var ægte, og hvem der fik identiteten. Du kan få indsigt i det, vi har om dig.
consent-privacy-4 = Dit CPR-nummer bliver også, forseglet, så længe du kan bruge identiteten. Når du logger på, får de tjenester det, som må få det, og vi spørger CPR, om dit navn er beskyttet. Vi sletter det ved dødsfald, og 90 dage efter at identiteten er spærret, hvis den ikke er åbnet igen.
consent-privacy-agree = Jeg har læst, hvordan oplysningerne bliver brugt
consent-face = Genkendelse af dit ansigt
consent-face-1 = Vi sammenligner et billede af dit ansigt med portrættet på passets chip. Det er en biometrisk oplysning, og derfor spørger vi særskilt.
consent-face-2 = Du kan sige nej. Så kan vi ikke gøre det færdigt her, men et Borgercenter kan.
consent-face-agree = Ja, I må genkende mit ansigt i denne sag
consent-face-no = Jeg vil ikke have mit ansigt genkendt
consent-agree = Sig ja, og fortsæt
consent-missing = Sæt kryds ved alle fire dele, eller vælg Borgercenteret nederst på siden.
consent-stale = Vilkårene er ændret, siden du læste dem. Læs dem igen, og sæt kryds.

## Borgercenteret

center-title = Få det gjort i et Borgercenter
center-lead = En medarbejder hjælper dig gratis, også hvis du ikke har pas, ikke har en telefon eller ikke vil have dit ansigt genkendt af en maskine.
center-bring-title = Tag med
center-bring-passport = Dit pas eller et andet gyldigt billedbevis
center-bring-health = Dit sundhedskort
center-bring-witness = Har du intet billedbevis: et vidne over 18 år, som selv har en elektronisk identitet
center-book-title = Bestil tid
center-book = Bestil tid i dit Borgercenter, på nettet eller i telefonen. Sig, at det drejer sig om elektronisk identitet.
center-number = Dit sagsnummer
center-number-what = Giv medarbejderen nummeret. Det fortæller, hvad der skete her, men ikke hvem du er.
center-home = Kan du ikke komme, så spørg om et hjemmebesøg, når du bestiller.
center-back = Tilbage til siden
center-box-title = Borgercenteret kan hjælpe dig nu
center-box = Du behøver ikke prøve mere. En medarbejder kan gøre det færdigt sammen med dig.
center-box-link = Se, hvordan du får en tid

## 3 CPR-nummer

number-title = Dit CPR-nummer
number-lead = Vi bruger det til at finde dig i CPR, når passet er læst.
number-label = CPR-nummer
number-hint = Ti cifre, for eksempel 010190-0000
number-form = Det er ikke et CPR-nummer. Skriv ti cifre, med eller uden bindestreg.
number-why-title = Hvorfor spørger vi?
number-why = Passet siger ikke, hvilket CPR-nummer du har. Navn, fødselsdag og køn på chippen skal passe til det, du skriver. Vi fortæller ikke, hvad der ikke passer: det beskytter dig mod folk, der gætter.

## 4 Passets side

page-title = Vis passets side til kameraet
page-lead = Læg passet fladt på et mørkt bord, slået op på siden med dit billede. Hold telefonen vandret, omkring 12 centimeter over de to nederste linjer.
page-camera = Passets side i kameraet
page-start = Tænd kameraet
page-stop = Sluk kameraet
page-off = Kameraet er slukket.
page-waiting = Venter på kameraet. Sig ja, når browseren spørger.
page-searching = Leder efter de to linjer nederst på siden.
page-whole-page = Vis hele siden: de to nederste linjer skal være med fra kant til kant.
page-closer = Gå tættere på.
page-glare = Vip passet eller lampen lidt: lyset spejler sig i linjerne.
page-light = Giv mere lys.
page-sharper = Hold stille, så billedet bliver skarpt.
page-done = Siden er læst. Du går videre nu.
page-camera-denied = Kameraet må ikke bruges. Giv lov i browserens indstillinger, og prøv igen, eller skriv linjerne nedenfor.
page-camera-none = Vi kan ikke finde et kamera. Prøv en anden enhed, eller skriv linjerne nedenfor.
page-typed-title = Skriv linjerne selv
page-typed-lead = Nederst på siden står to linjer med bogstaver, tal og tegnet <. Skriv dem, præcis som de står. Mellemrum gør ingen forskel.
page-line-1 = Øverste linje
page-line-2 = Nederste linje
page-line-hint = 44 tegn
page-send = Send linjerne

## 5 Chippen

chip-title = Hold passet til telefonen
chip-lead = Chippen sidder i omslaget. Luk passet, læg det på bordet, og læg telefonens øverste halvdel midt på forsiden.
chip-picture = Tegning: et lukket pas med et guldmærke på forsiden. Telefonens øverste halvdel ligger hen over mærket, og bølger viser, at den læser chippen.
chip-tip-cover = Tag coveret af telefonen, og tag passet ud af etuiet.
chip-tip-still = Hold helt stille, til der står, at chippen er læst. Det tager 5 til 20 sekunder.
chip-tip-metal = Læg ikke passet på metal eller på en oplader.
chip-start = Læs chippen
chip-again = Prøv igen
chip-ready = Klar, når du er det.
chip-asking = Finder telefonens læser.
chip-waiting = Venter på passet. Læg det til telefonen.
chip-access = Åbner chippen. Hold passet stille.
chip-reading = Læser chippen. Hold passet stille.
chip-authenticating = Prøver, om chippen er ægte.
chip-lost = Forbindelsen gik tabt. Læg passet på igen, og hold det stille: vi fortsætter, hvor vi slap.
chip-read = Chippen er læst. Du går videre nu.
chip-progress = Så langt er vi
chip-none-title = Denne enhed kan ikke læse chippen
chip-none = Siden fandt hverken appens læser eller en læser ved skrankens computer. Åbn siden i appen på en telefon med NFC. Sidder du ved en skranke, så spørg medarbejderen, om læseren er tændt.
chip-broken = Forbindelsen til læseren blev afbrudt. Prøv igen.
chip-lost-title = Bliver forbindelsen ved med at gå tabt?
chip-lost-1 = Flyt telefonen et par centimeter op eller ned, og vent fem sekunder hvert sted.
chip-lost-2 = Prøv også på bagsiden af passet og på siden med dit billede: chippen sidder ikke samme sted i alle pas.
chip-lost-3 = Genstart telefonen, hvis intet sker.

## 6 Ansigtet

face-title = Vis dit ansigt
face-lead = Hold telefonen i øjenhøjde, så dit ansigt fylder ovalen. Se lige frem.
face-camera = Dit ansigt i kameraet
face-start = Tænd kameraet
face-off = Kameraet er slukket.
face-waiting = Venter på kameraet. Sig ja, når browseren spørger.
face-searching = Leder efter dit ansigt.
face-hold = Godt. Hold stille.
face-taking = Billedet bliver sammenlignet med portrættet i passet.
face-done = Billedet er taget. Du går videre nu.
face-camera-denied = Kameraet må ikke bruges. Giv lov i browserens indstillinger, og prøv igen, eller gå til Borgercenteret.
face-camera-none = Vi kan ikke finde et kamera. Prøv en anden enhed, eller gå til Borgercenteret.
face-tip-light = Stil dig med lyset forfra, ikke bagfra.
face-tip-glasses = Tag briller, hue og mundbind af, og stryg håret fra ansigtet.
face-tip-alone = Vær alene i billedet.
face-kept-title = Hvad bliver gemt?
face-kept = Billedet bliver kun sammenlignet med portrættet i passet. Hverken billedet eller målingen af dit ansigt bliver gemt. Portrættet fra passet ligger forseglet, til sagen slutter, og højst en time.
face-again = Prøv igen

## 7 Resultatet

result-decide-title = Klar til afgørelse
result-decide = Alt er læst. Tryk, så slår vi dig op i CPR og passets register og afgør sagen.
result-decide-button = Få afgørelsen
result-good-title = Din identitet er oprettet
result-good = Dit pas er ægte, du er den, passet viser, og du findes i CPR. Nu mangler du kun at vælge et bruger-id og aktivere appen.
result-name = Navn
result-birth = Fødselsdag
result-level = Sikringsniveau
result-level-name = Betydelig
result-issued = Oprettet
result-next = Vælg bruger-id
result-bad-title = Vi kan ikke oprette din identitet her
result-refer-title = Et Borgercenter skal gøre det færdigt
result-again-title = Et trin skal gøres om
result-again-page = Vis passets side igen
result-again-chip = Læs chippen igen
result-again-face = Tag billedet igen
result-again-start = Begynd forfra
result-ended-title = Sagen er lukket
result-ended = Tiden løb ud. Dine oplysninger er slettet. Begynd forfra: det tager omkring ti minutter.
result-code = Kode til medarbejderen
result-complain = Er du uenig, kan du klage til Borgercenteret. Bed om en skriftlig begrundelse, og oplys sagsnummeret.

## 8 Bruger-id, kontakt, app

user-title = Vælg et bruger-id
user-lead = Det er navnet, du logger på med. Vælg noget, som ikke er let at gætte.
user-label = Bruger-id
user-hint = 5 til 48 tegn: bogstaver, tal og tegnene . - _ @ med flere. Store og små bogstaver er ens. Ikke dit CPR-nummer.
contact-title = Hvor kan vi nå dig?
contact-lead = Vi sender to koder, én hver vej. Senere får du besked her, hvis nogen bruger din identitet på en ny enhed.
contact-phone = Mobilnummer
contact-phone-hint = Med landekode, for eksempel +4512345678
contact-email = E-mailadresse
contact-email-hint = For eksempel navn@eksempel.dk
contact-notices = Hvor vil du have besked?
contact-notices-hint = Vi anbefaler begge.
contact-notices-sms = SMS
contact-notices-email = E-mail
activate-title = Aktivér appen
activate-lead = Denne enhed får en nøgle, som aldrig forlader den. Vi sender en kode på SMS og en på e-mail.
activate-send = Send koderne
activate-sent = Koderne er sendt. Koden på SMS virker i 30 minutter, koden på e-mail i 24 timer.
activate-sms = Koden fra SMS
activate-email = Koden fra e-mail
activate-code-hint = Kun tal
activate-pin = Vælg en pinkode
activate-pin-hint = Seks tal. Ikke din fødselsdag, ikke 123456 og ikke samme tal hele vejen.
activate-pin-again = Skriv pinkoden igen
activate-pin-differs = De to pinkoder er ikke ens. Skriv den samme begge steder.
activate-button = Aktivér
activate-resend = Send nye koder
activate-working = Et øjeblik.
activate-no-crypto = Browseren kan ikke lave en nøgle. Brug en nyere browser, eller gå til Borgercenteret.
activate-no-key = Nøglen findes ikke på denne enhed. Send nye koder, så laver vi en ny.
activate-helper-title = Appen skal være på din egen telefon
activate-helper = Identiteten er oprettet, men den bliver ikke lagt på hjælperens enhed. Lav det samme på din egen telefon med dit pas, når du kan, eller tag passet med til Borgercenteret: de aktiverer en app eller udleverer en kodeviser.

## Færdig

done-title = Du er færdig
done-lead = Din identitet er aktiv, og denne enhed kan bruges til at logge på.
done-receipt = Kvittering
done-case = Sagsnummer
done-app = App
done-app-active = Aktiv
done-print = Udskriv eller gem siden, hvis du vil have en kvittering på papir.
done-block-title = Mister du telefonen?
done-block = Spær din identitet med det samme. Koden i den besked, du har fået, spærrer appen.
done-leave = Afslut

## Log-in

log-in-title = Log på
log-in-at = Log på { $party }
log-in-lead = Skriv dit bruger-ID, og godkend derefter i din app. Vi viser det samme, uanset om bruger-ID'et findes.
log-in-user-id = Bruger-ID
log-in-user-hint = Det, som du valgte, da du fik din identitet. Aldrig dit CPR-nummer.
log-in-without = Vis QR-kode uden bruger-ID
log-in-cancel = Afbryd
log-in-step-open = Åbn din app, og vælg at scanne.
log-in-step-scan = Hold kameraet på koden, til appen har læst begge halvdele. De skifter af sig selv.
log-in-step-approve = Se efter, at appen viser { $party }, og godkend med din pinkode.
log-in-code-alt = QR-kode, som din app læser. Den skifter mellem to halvdele.
log-in-warning = Scan kun koden, hvis du selv er begyndt her. Har nogen sendt dig den eller bedt dig om det, så er det svindel.
log-in-switch = Åbn appen på denne enhed
log-in-claimed = Din app har læst koden. Godkend der.
log-in-back = Godkendelsen går videre fra appen. Gå tilbage til den, og følg den til browseren på samme enhed.
log-in-ended-title = Du er ikke logget på
log-in-refused = Du har afvist det i appen. Begynd forfra hos tjenesten, hvis det var en fejl. Var det ikke dig, der begyndte, så har du gjort det rigtige.
log-in-cancelled = Du har afbrudt. Intet er sket.
log-in-return = Tilbage til { $party }
log-in-out-title = Du er logget af
log-in-out = Tjenestens session er slut. Luk browseren, hvis andre bruger den.
log-in-not-out-title = Vi har ikke logget dig af
log-in-not-out = Tjenesten sagde ikke, hvilken session den vil slutte, så intet er sluttet her. Gå tilbage til tjenesten, og log af der. Luk browseren, hvis andre bruger den.
