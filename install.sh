#!/usr/bin/env bash
# Installs Forecourt as a service on this machine, or upgrades it.  Can be run any number of times.
#
#   sudo ./install.sh [options]
#
#   --site-name NAME       what the site is called
#   --currency BDT         three letters; fixed for good once the site is made
#   --timezone Asia/Dhaka  fixed for the reports; default: this machine's
#   --language bn          en or bn: what pages speak to whom has not chosen
#   --stations HOST:PORT   where chargers connect            (default 0.0.0.0:9000)
#   --console HOST:PORT    plain http, redirects to the next (default 0.0.0.0:8080)
#   --console-tls HOST:PORT  the console, https              (default 0.0.0.0:8443)
#   --drivers HOST:PORT    drivers' pages, http              (default 0.0.0.0:8081)
#   --tls-names A,B        more names or addresses for the site's certificate
#   --drivers-url URL      what stands on cards before card/…, for phones  (default: the address of --drivers)
#   --reader PATH          a card reader: a device, pcsc, or none; may be repeated  (default: whatever is plugged in)
#   --pcsc                 also what readers over PC/SC need; it is compiled here
#   --wheels DIR           install from this folder (`make wheels`) and not from the internet
#   --non-interactive      ask nothing: take the defaults, and fail where there is none
#   --check                change nothing, say what would be done
#   --rollback             go back to the program that was there before the last upgrade
#   --uninstall            remove program and service; the data stays
#   --prefix DIR           put everything under DIR and leave users alone (for tests and packaging)
#   --help                 this text
#
# On another PC, a card reader that works for a site (docs/CARD-DESK.md); --reader, --pcsc and those below them hold here too:
#
#   sudo ./install.sh --desk --server https://ADDRESS:8443 --token-file FILE [options]
#
#   --token-file FILE      holds an API token of the site
#   --ca FILE              the site's certificate authority, from its set-up page
#   --name NAME            what the desk is called                (default: this machine's name)
# shellcheck disable=SC1111  # The quotation marks in sentences are meant.
set -euo pipefail
# What is installed is read by the service's user, whatever the caller's umask.
umask 022
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
caller_folder=$PWD

# --- what was asked for ------------------------------------------------------------------------------------------------

mode=install ask=yes prefix='' wheels='' unfinished='' desk=no pcsc=no token_file='' authority=''
site_name='' currency='' timezone='' language=''
# What the service reads from its environment file; empty means: not given on the command line.
declare -A given=() defaults=(
    [FORECOURT_STATIONS]=0.0.0.0:9000
    [FORECOURT_CONSOLE]=0.0.0.0:8080
    [FORECOURT_CONSOLE_TLS]=0.0.0.0:8443
    [FORECOURT_DRIVERS]=0.0.0.0:8081
    [FORECOURT_TLS_NAMES]=""
    [FORECOURT_DRIVERS_URL]=""
    [FORECOURT_READER]=""
)
settings=(FORECOURT_STATIONS FORECOURT_CONSOLE FORECOURT_CONSOLE_TLS FORECOURT_DRIVERS FORECOURT_TLS_NAMES
    FORECOURT_DRIVERS_URL FORECOURT_READER)
addresses=("${settings[@]:0:4}")
# shellcheck source=scripts/install-desk
. "$source_folder/scripts/install-desk"

main() {
    read_arguments "$@"
    opt=$prefix/opt/forecourt
    data=$prefix/var/lib/forecourt
    wrapper=$prefix/usr/local/bin/forecourt
    units=$prefix/etc/systemd/system
    polkit_rule=$prefix/etc/polkit-1/rules.d/70-forecourt-readers.rules
    choose_service
    environment_file=$prefix/etc/forecourt/$service.env
    unit=$units/$service.service
    case $mode-$desk in
        uninstall-*) check_rights; uninstall ;;
        rollback-*) check_rights; rollback ;;
        *-yes) install_or_upgrade_desk ;;
        *) install_or_upgrade ;;
    esac
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --site-name) site_name=$(value_of "$@"); shift 2 ;;
            --currency) currency=$(value_of "$@"); shift 2 ;;
            --timezone) timezone=$(value_of "$@"); shift 2 ;;
            --language) language=$(value_of "$@"); shift 2 ;;
            --stations) given[FORECOURT_STATIONS]=$(address_of "$@"); shift 2 ;;
            --console) given[FORECOURT_CONSOLE]=$(address_of "$@"); shift 2 ;;
            --console-tls) given[FORECOURT_CONSOLE_TLS]=$(address_of "$@"); shift 2 ;;
            --drivers) given[FORECOURT_DRIVERS]=$(address_of "$@"); shift 2 ;;
            --tls-names) given[FORECOURT_TLS_NAMES]=$(value_of "$@"); shift 2 ;;
            --drivers-url) given[FORECOURT_DRIVERS_URL]=$(value_of "$@"); shift 2 ;;
            --reader) given[FORECOURT_READER]+=${given[FORECOURT_READER]+ }$(value_of "$@"); shift 2 ;;
            --pcsc) pcsc=yes; shift ;;
            --desk) desk=yes; shift ;;
            --server) given[FORECOURT_SERVER]=$(value_of "$@"); shift 2 ;;
            --name) given[FORECOURT_DESK_NAME]=$(value_of "$@"); shift 2 ;;
            --token-file) token_file=$(absolute "$(value_of "$@")"); shift 2 ;;
            --ca) authority=$(absolute "$(value_of "$@")"); shift 2 ;;
            --wheels) wheels=$(absolute "$(value_of "$@")"); shift 2 ;;
            --prefix) prefix=$(absolute "$(value_of "$@")"); shift 2 ;;
            --non-interactive) ask=no; shift ;;
            --check) mode=check; ask=no; shift ;;
            --rollback) mode=rollback; shift ;;
            --uninstall) mode=uninstall; shift ;;
            --help | -h) usage; exit 0 ;;
            *) usage >&2; fail "There is no option “$1”." ;;
        esac
    done
}

install_or_upgrade() {
    find_out
    check_machine
    if [ "$site_exists" = no ]; then
        ask_for_the_site
    elif [ -n "$site_name$currency$timezone$language" ]; then
        say "There is a site in $data already: its name, currency, time zone and language stay as they are."
    fi
    decide_settings
    [ -e "$opt/venv" ] || check_ports

    prepare_machine
    step "Install version $version into $opt/releases/$release" make_release
    if [ -e "$opt/venv" ] && [ "$site_exists" = yes ]; then
        step "Stop the service" systemctl stop forecourt.service
        step "Back the data up to $data/backups/before-$release.db" back_up
    fi
    step "Prepare the data folder $data" make_data_folder
    [ "$settings_changed" = no ] || step "Write the settings to $environment_file" write_settings
    step "Make $opt/releases/$release the program in use" switch_to_release
    [ "$site_exists" = yes ] || step "Make the site “$site_name” ($currency, $timezone, $language)" make_site
    step "Install the service and the command forecourt" install_service
    step "Start the service and wait until it is ready" start_service
    step "Remove releases older than the one before" remove_old_releases
    [ "$mode" = check ] && echo "Nothing was changed." && return
    say_where_it_is
}

# What a site and a desk on another PC need alike.
prepare_machine() {
    [ "$user_exists" = yes ] || step "Make the system user forecourt" make_user
    [ "$in_dialout" = yes ] || step "Let the user forecourt use serial ports" usermod --append --groups dialout forecourt
    [ "$in_lp" = yes ] || step "Let the user forecourt use printers" usermod --append --groups lp forecourt
    [ "$can_make_environments" = yes ] || step "Install Debian's python3-venv" debian_packages python3-venv
    [ -n "$prefix" ] || ! lacks_libusb ||
        step "Install Debian's libusb-1.0-0, for readers with a USB plug" debian_packages libusb-1.0-0 || true
    if [ "$pcsc" = yes ] && [ -z "$prefix" ]; then
        step "Install Debian's pcscd, libccid and what compiling pyscard takes" debian_packages \
            pcscd libccid swig libpcsclite-dev gcc libc6-dev python3-dev
    fi
    step "Let the service, and nobody else, use card readers" "$source_folder/scripts/card-readers" install "$prefix"
    [ "$pcsc" = no ] || step "Let the service use readers through pcscd" allow_pcsc
    "$source_folder/scripts/card-readers" advise "$prefix"
}

# --- finding out and asking --------------------------------------------------------------------------------------------

find_out() {
    version=$(sed -n 's/^__version__.*"\(.*\)"$/\1/p' "$source_folder/appliance/__init__.py")
    release=$version-$(date -u +%Y%m%dT%H%M%S.%3NZ)
    user_exists=no
    [ -z "$prefix" ] && ! getent passwd forecourt >/dev/null || user_exists=yes
    site_exists=no
    [ -z "$(find "$data" -maxdepth 1 -type f \( -name '*.db' -o -name '*.sqlite*' \) 2>/dev/null)" ] || site_exists=yes
    in_dialout=yes
    [ -n "$prefix" ] || [[ " $(id -nG forecourt 2>/dev/null) " = *" dialout "* ]] ||
        ! getent group dialout >/dev/null || in_dialout=no
    in_lp=yes
    [ -n "$prefix" ] || [[ " $(id -nG forecourt 2>/dev/null) " = *" lp "* ]] ||
        ! getent group lp >/dev/null || in_lp=no
    # Whoever once asked for PC/SC has it after an upgrade, too.
    [ -z "$(compgen -G "$opt/venv/lib/python3*/site-packages/smartcard")" ] || pcsc=yes
    python='' can_make_environments=yes
    local candidate
    for candidate in python3.11 python3 /usr/bin/python3 python3.12 python3.13 python3.14; do
        if serves_the_service "$candidate"; then
            python=$candidate
            break
        fi
    done
    [ -n "$python" ] || return 0
    "$python" -c 'import ensurepip, venv' 2>/dev/null || can_make_environments=no
}

# An interpreter in somebody's home is of no use: the service sees no homes.
serves_the_service() {
    "$1" - "$prefix" 2>/dev/null <<'END'
import sys
at_home = sys.base_prefix.startswith(("/root/", "/home/")) and not sys.argv[1]
sys.exit(sys.version_info < (3, 11) or at_home)
END
}

check_machine() {
    check_rights
    [ -n "$python" ] || fail "Python 3.11 or newer is needed.  On Debian: apt-get install python3 python3-venv"
    case $(uname -s)-$(uname -m) in
        Linux-x86_64 | Linux-aarch64) ;;
        *) fail "Forecourt runs on Linux on x86-64 and 64-bit ARM; this is $(uname -s) on $(uname -m)." ;;
    esac
    command -v systemctl >/dev/null || fail "This machine is not run by systemd, which is to watch over the service."
    if [ -n "$wheels" ]; then
        compgen -G "$wheels/forecourt-$version-*.whl" >/dev/null ||
            fail "$wheels holds no forecourt-$version wheel.  Make it anew with: make wheels"
    fi
    local folder=$prefix/opt free_mib
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    free_mib=$(df --output=avail --block-size=1M "$folder" | tail -n 1)
    [ "$free_mib" -ge 500 ] || fail "Only $free_mib MB are free under $folder; 500 MB are needed."
    say "This is $(machine) with $("$python" --version 2>&1), $free_mib MB free."
}

ask_for_the_site() {
    local clock_zone
    clock_zone=$(cat /etc/timezone 2>/dev/null || readlink /etc/localtime 2>/dev/null | sed 's/.*zoneinfo\///' || true)
    ask_unless_given site_name "Name of the site" "Charging site"
    ask_unless_given currency "Currency, three letters such as BDT; it cannot be changed later"
    currency=${currency^^}
    [[ $currency =~ ^[A-Z]{3}$ ]] || fail "“$currency” is not a currency.  Give its three letters, such as --currency BDT"
    ask_unless_given timezone "Time zone" "${clock_zone:-UTC}"
    [[ $timezone =~ ^[A-Za-z0-9_+/-]+$ ]] || fail "“$timezone” is not a time zone.  Give one such as --timezone Asia/Dhaka"
    ask_unless_given language "Language of the pages, en or bn" en
    [[ $language =~ ^(en|bn)$ ]] || fail "There are no pages in “$language” yet; choose en or bn."
}

decide_settings() {
    local -A present=()
    local name value sentence
    settings_changed=no
    if [ -f "$environment_file" ]; then
        while IFS='=' read -r name value; do
            if [[ $name =~ ^FORECOURT_[A-Z_]+$ ]]; then present[$name]=$value; fi
        done <"$environment_file"
    fi
    declare -gA chosen=()
    for name in "${settings[@]}"; do
        value=${given[$name]-${present[$name]-}}
        if [ -z "${given[$name]+set}${present[$name]+set}" ]; then
            sentence=$(question_about "$name")
            # Without a question, the default is right nearly everywhere.
            if [ -z "$sentence" ]; then value=${defaults[$name]}; fi
            [ -z "$sentence" ] || ask_unless_given value "$sentence" ${defaults[$name]+"${defaults[$name]}"}
            [[ " ${addresses[*]} " != *" $name "* ]] || is_address "$value" || fail "“$value” is not HOST:PORT."
        fi
        can_be "$name" "$value" || fail "“$value” cannot be used for $name."
        [ "${present[$name]-unset}" = "$value" ] || settings_changed=yes
        chosen[$name]=$value
    done
}

# can_be NAME VALUE     Nothing that systemd or a shell would read in another way than it is meant.
can_be() {
    case $1 in
        # With more than 62 characters and a slash at the end, it does not fit on an NTAG213.
        FORECOURT_DRIVERS_URL) local bare=${2%/} && [ ${#bare} -le 61 ] && [[ $2 =~ ^(https?://[]A-Za-z0-9._:[-]+(/[A-Za-z0-9._~/-]*)?)?$ ]] ;;
        FORECOURT_SERVER) [[ $2 =~ ^https://[]A-Za-z0-9._:[-]+/?$ ]] ;;
        # It stands in addresses.
        FORECOURT_DESK_NAME) [[ $2 =~ ^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$ ]] ;;
        FORECOURT_READER | FORECOURT_CA) [[ $2 =~ ^[A-Za-z0-9._:/,+@[:space:]-]*$ ]] ;;
        *) [[ $2 =~ ^[]A-Za-z0-9._:,[-]*$ ]] ;;
    esac
}

# Another program on a port is found now rather than by a service that does not start.
check_ports() {
    local name
    for name in "${addresses[@]}"; do
        "$python" - "${chosen[$name]}" <<'END' || fail "Choose another address or port for $name, or stop what uses it."
import socket, sys
host, _, port = sys.argv[1].rpartition(":")
host = host.strip("[]")
try:
    with socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
        pass
except (OSError, OverflowError) as error:
    reason = str(getattr(error, "strerror", None) or error).partition(" (")[0]
    sys.exit(f"{sys.argv[1]} cannot be used: {reason}.")
END
    done
}

question_about() {
    case $1 in
        FORECOURT_STATIONS) echo "Address and port for chargers (0.0.0.0 means every network of this machine)" ;;
        FORECOURT_CONSOLE) echo "Address and port for staff who type no https; they are sent to the next" ;;
        FORECOURT_CONSOLE_TLS) echo "Address and port for staff, https" ;;
        FORECOURT_DRIVERS) echo "Address and port for drivers' phones" ;;
        FORECOURT_DRIVERS_URL) echo "Address of drivers' pages as it is to stand on cards, such as http://192.168.7.2:8081/ (may be empty)" ;;
        FORECOURT_SERVER) echo "Address of the site's console, such as https://192.168.7.2:8443" ;;
        FORECOURT_DESK_NAME) echo "What this desk is called" ;;
        FORECOURT_TLS_NAMES) echo "More names or addresses by which staff reach this machine, with commas (may be empty)" ;;
    esac
}

# ask_unless_given VARIABLE QUESTION [DEFAULT]     Without a DEFAULT an answer there must be; it may be the empty one.
ask_unless_given() {
    local -n answer=$1
    [ -z "$answer" ] || return 0
    if [ "$ask" = yes ] && [ -t 0 ]; then
        read -r -p "$2${3:+ [$3]}: " answer
    elif [ $# -lt 3 ] && [ "$mode" = check ]; then
        echo "would ask: $2"
        answer=XXX
    elif [ $# -lt 3 ]; then
        fail "Nobody can be asked here; give it as an option.  ${2}."
    fi
    answer=${answer:-${3-}}
}

# --- the steps ---------------------------------------------------------------------------------------------------------

make_user() {
    useradd --system --user-group --home-dir /var/lib/forecourt --no-create-home --shell /usr/sbin/nologin forecourt
}

allow_pcsc() {
    mkdir -p "$(dirname "$polkit_rule")"
    install -m 0644 "$source_folder/systemd/forecourt-pcsc.polkit" "$polkit_rule"
}

make_release() {
    local folder=$opt/releases/$release pip fetch requirements=$source_folder/requirements
    # Half a release is removed again, whatever interrupts this; the one in use is not touched.
    unfinished=$folder
    trap '[ -z "$unfinished" ] || rm -rf "$unfinished"' EXIT
    mkdir -p "$opt/releases"
    "$python" -m venv "$folder"
    pip=("$folder/bin/python" -m pip --disable-pip-version-check --quiet)
    # Twice quiet: Debian's pip has more to say about source packages than anybody needs.
    fetch=("${pip[@]}" --quiet install --require-hashes --no-build-isolation --use-pep517 --only-binary :all:)
    [ -z "$wheels" ] || fetch+=(--no-index --find-links "$wheels")
    "${fetch[@]}" --requirement "$requirements/build.txt"
    # These two are published as source only.
    "${fetch[@]}" --no-binary pydes --requirement "$requirements/runtime.txt"
    [ "$pcsc" = no ] || "${fetch[@]}" --no-binary pyscard --requirement "$requirements/pcsc.txt"
    if [ -n "$wheels" ]; then
        "${pip[@]}" install --no-index --no-deps "$wheels"/forecourt-"$version"-*.whl
    else
        local built
        built=$(mktemp -d)
        "$source_folder/scripts/build-wheel" "$folder/bin/python" "$built"
        "${pip[@]}" install --no-index --no-deps "$built"/forecourt-*.whl
        rm -rf "$built"
    fi
    "$folder/bin/forecourt" --help >/dev/null
    unfinished=
}

back_up() {
    as_forecourt mkdir -p "$data/backups"
    if ! as_forecourt "$opt/venv/bin/forecourt" backup "$data" "$data/backups/before-$release.db"; then
        # Rather the old program than none.
        systemctl start forecourt.service || true
        rm -rf "${opt:?}/releases/$release"
        fail "The backup failed, so nothing was upgraded; the service runs on as it was."
    fi
}

make_data_folder() {
    mkdir -p "$data"
    chmod 0700 "$data"
    [ -n "$prefix" ] || chown forecourt:forecourt "$data"
}

write_settings() {
    mkdir -p "$(dirname "$environment_file")"
    local name temporary=$environment_file.new
    {
        echo "# Where Forecourt listens, and its card readers.  After a change: systemctl restart $service"
        for name in "${settings[@]}"; do echo "$name=${chosen[$name]}"; done
        # What else somebody wrote here stays.
        if [ -f "$environment_file" ]; then
            grep -v -E "^($(IFS='|' && echo "${settings[*]}"))=|^# Where Forecourt listens" "$environment_file" || true
        fi
    } >"$temporary"
    chmod 0640 "$temporary"
    [ -n "$prefix" ] || chown root:forecourt "$temporary"
    mv "$temporary" "$environment_file"
}

switch_to_release() {
    if [ -L "$opt/venv" ]; then
        ln -sfn "$(readlink "$opt/venv")" "$opt/previous"
    fi
    point_to "releases/$release"
}

make_site() {
    as_forecourt "$opt/venv/bin/forecourt" init --data-dir "$data" --currency "$currency" --timezone "$timezone" \
        --language "$language" --site-name "$site_name"
}

install_service() {
    mkdir -p "$(dirname "$unit")" "$(dirname "$wrapper")"
    install -m 0644 "$source_folder/systemd/$service.service" "$unit"
    # As root, the command would leave files in the data folder that the service may not read.
    cat >"$wrapper.new" <<END
#!/bin/sh
if [ "\$(id -u)" -eq 0 ]; then
    exec runuser -u forecourt -- $opt/venv/bin/forecourt "\$@"
fi
exec $opt/venv/bin/forecourt "\$@"
END
    chmod 0755 "$wrapper.new"
    mv "$wrapper.new" "$wrapper"
    systemctl daemon-reload
    systemctl enable --quiet "$service.service"
}

start_service() {
    # The unit is of type notify: this returns when the service says that it is ready.
    if ! systemctl restart "$service.service"; then
        echo "The service did not become ready.  What it said: journalctl -u $service -n 50" >&2
        [ ! -L "$opt/previous" ] || echo "To go back: sudo ./install.sh --rollback" >&2
        exit 1
    fi
}

remove_old_releases() {
    local folder
    for folder in "$opt"/releases/*; do
        case $folder in
            "$opt/$(readlink "$opt/venv")" | "$opt/$(readlink "$opt/previous" 2>/dev/null || echo none)") ;;
            *) rm -rf "$folder" ;;
        esac
    done
}

say_where_it_is() {
    local code
    echo
    echo "Forecourt $version is running."
    echo "  Console:   https://$(reachable "${chosen[FORECOURT_CONSOLE_TLS]}")"
    echo "  Chargers:  ws://$(reachable "${chosen[FORECOURT_STATIONS]}")/ocpp/"
    if code=$(as_forecourt "$opt/venv/bin/forecourt" setup-code --data-dir "$data") && [ -n "$code" ]; then
        echo "  Set-up code, for the first visit: $code"
    fi
    echo "The browser warns until the site's own certificate authority is installed; the set-up page has it."
}

rollback() {
    [ -L "$opt/previous" ] || fail "There is no earlier program to go back to."
    local now before
    now=$(readlink "$opt/venv")
    before=$(readlink "$opt/previous")
    step "Stop the service" systemctl stop "$service.service"
    step "Make $opt/$before the program in use again" point_to "$before"
    ln -sfn "$now" "$opt/previous"
    step "Start the service" systemctl start "$service.service" || {
        [ "$desk" = no ] || exit 1
        echo "If it says that the database is newer than the program, put the copy from before the upgrade back:" >&2
        echo "  systemctl stop forecourt" >&2
        echo "  forecourt restore $data/backups/before-${now#releases/}.db $data" >&2
        echo "  systemctl start forecourt" >&2
        echo "What was charged and paid since then is not in that copy." >&2
        exit 1
    }
}

uninstall() {
    if [ -e "$unit" ]; then
        step "Stop the service for good" systemctl disable --now --quiet "$service.service"
        step "Remove the service" rm -f "$unit"
        systemctl daemon-reload
    fi
    if [ -e "$prefix/etc/udev/rules.d/70-forecourt-readers.rules" ]; then
        step "Remove what it needed for card readers" "$source_folder/scripts/card-readers" remove "$prefix"
    fi
    rm -f "$polkit_rule"
    [ ! -e "$wrapper" ] || step "Remove the command forecourt" rm -f "$wrapper"
    [ ! -e "$opt" ] || step "Remove the program $opt" rm -rf "$opt"
    if [ "$desk" = yes ]; then
        echo "The settings and the token are still in $(dirname "$environment_file").  To be rid of them too: rm -r $(dirname "$environment_file") && userdel forecourt"
        return
    fi
    echo "The data is still in $data and belongs to the user forecourt; the settings are still in $environment_file."
    echo "To be rid of them too: rm -r $data $(dirname "$environment_file") && userdel forecourt"
}

# --- small things ------------------------------------------------------------------------------------------------------

# step SENTENCE COMMAND...
step() {
    if [ "$mode" = check ]; then
        echo "would: $1"
        return
    fi
    say "$1"
    "${@:2}"
}

say() { echo "==> $1"; }

debian_packages() { "$source_folder/scripts/debian-packages" "$@"; }

lacks_libusb() { ! compgen -G "/usr/lib/*/libusb-1.0.so.0" >/dev/null; }

fail() {
    echo "$1" >&2
    exit 1
}

usage() { sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

value_of() {
    [ $# -gt 1 ] && [ -n "$2" ] || fail "$1 needs a value."
    echo "$2"
}

address_of() {
    local value
    value=$(value_of "$@")
    is_address "$value" || fail "$1 needs HOST:PORT, such as 0.0.0.0:9000; “$value” is not."
    echo "$value"
}

is_address() { [[ $1 =~ ^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$ ]]; }

absolute() {
    case $1 in
        /*) echo "$1" ;;
        *) echo "$caller_folder/$1" ;;
    esac
}

check_rights() {
    [ -n "$prefix" ] || [ "$mode" = check ] || [ "$(id -u)" -eq 0 ] || fail "This needs root: sudo ./install.sh"
}

# The data belongs to the service's user, and so does every file a command makes there.
as_forecourt() {
    if [ -n "$prefix" ]; then
        "$@"
    else
        # From a folder the user may enter; the caller's need not be one.
        (cd / && runuser -u forecourt -- "$@")
    fi
}

# A link is replaced in one step: there is no moment without a program.
point_to() {
    ln -sfn "$1" "$opt/venv.new"
    mv -T "$opt/venv.new" "$opt/venv"
}

machine() { sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release 2>/dev/null || uname -s; }

# HOST:PORT as somebody on the premises types it: an address of this machine where the service listens on all.
reachable() {
    local host=${1%:*} address
    case $host in
        0.0.0.0 | '[::]')
            address=$(hostname -I 2>/dev/null | cut -d ' ' -f 1)
            host=${address:-$(hostname)}
            ;;
    esac
    echo "$host:${1##*:}"
}

main "$@"
