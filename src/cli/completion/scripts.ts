/** What each shell is taught. All ask `berth __complete WORDS…`, whose answer is a candidate a line and `:DIRECTIVE` at the end. */

import { PROGRAM } from "../program.ts";

/** Words are cut at blanks here: readline also cuts at ":" and "=", which names of images and flags are full of. */
const BASH = String.raw`# bash completion: eval "$(${PROGRAM} completion bash)"; for an alias, complete -F _berth ALIAS
_berth() {
    local line=${"$"}{COMP_LINE:0:COMP_POINT} words current answer directive value kept
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    current=${"$"}{words[-1]}
    answer=$("${"$"}{words[0]}" __complete "${"$"}{words[@]:1}" 2>/dev/null) || return
    directive=${"$"}{answer##*:}
    answer=${"$"}{answer%:*}
    kept=""
    [[ $current == *[:=]* ]] && kept=${"$"}{current%"${"$"}{current##*[:=]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        [[ -n $value && $value == "$current"* ]] && COMPREPLY+=("${"$"}{value#"$kept"}")
    done <<<"$answer"
    ((directive & 2)) && compopt -o nospace
    if ((directive & 16)); then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
    elif ((!(directive & 4))) && ((${"$"}{#COMPREPLY[@]} == 0)); then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _berth ${PROGRAM}
`;

const ZSH = String.raw`#compdef ${PROGRAM}
# zsh completion: source <(${PROGRAM} completion zsh), or ${PROGRAM} completion zsh > "${"$"}{fpath[1]}/_${PROGRAM}"
_berth() {
    local answer directive line value description
    local -a candidates space
    answer=$("${"$"}{words[1]}" __complete "${"$"}{(@)words[2,CURRENT]}" 2>/dev/null) || return
    directive=${"$"}{answer##*:}
    for line in "${"$"}{(@f)${"$"}{answer%:*}}"; do
        [[ -z $line ]] && continue
        value=${"$"}{line%%$'\t'*}
        description=${"$"}{line#"$value"}
        value=${"$"}{value//:/\\:}
        candidates+=("$value${"$"}{description:+:${"$"}{description#$'\t'}}")
    done
    ((directive & 2)) && space=(-S "")
    if ((directive & 16)); then
        _files -/
    elif ((${"$"}{#candidates})); then
        _describe -V candidate candidates $space
    elif ((!(directive & 4))); then
        _files
    fi
}
if [[ "${"$"}{funcstack[1]}" = "_${PROGRAM}" ]]; then _berth "$@"; else compdef _berth ${PROGRAM}; fi
`;

const FISH = String.raw`# fish completion: ${PROGRAM} completion fish | source
function __berth_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer ($words[1] __complete $words[2..-1] 2>/dev/null)
    set -l directive (string sub -s 2 -- $answer[-1])
    set -l candidates $answer[1..-2]
    if test (math "bitand($directive, 16)") -ne 0
        __fish_complete_directories (commandline -ct)
    else if test (count $candidates) -eq 0 -a (math "bitand($directive, 4)") -eq 0
        __fish_complete_path (commandline -ct)
    else
        string join \n -- $candidates
    end
end
# In place of what fish has of its own for that name, which it loads when it is first asked.
complete -C "${PROGRAM} " >/dev/null 2>&1
complete -c ${PROGRAM} -e
complete -c ${PROGRAM} -f -a "(__berth_complete)"
`;

const POWERSHELL = String.raw`# PowerShell completion: ${PROGRAM} completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName '${PROGRAM}' -ScriptBlock {
    param($WordToComplete, $CommandAst, $CursorPosition)
    $Words = @($CommandAst.CommandElements | ForEach-Object { $_.ToString() } | Select-Object -Skip 1)
    if ($WordToComplete -eq '') { $Words += '""' }
    $Answer = @(& $CommandAst.CommandElements[0].ToString() __complete @Words 2>$null)
    $Answer | Where-Object { $_ -notmatch '^:\d+$' } | ForEach-Object {
        $Value, $Description = $_ -split [char]9, 2
        if (-not $Description) { $Description = $Value }
        if ($Value -like "$WordToComplete*") {
            [System.Management.Automation.CompletionResult]::new($Value, $Value, 'ParameterValue', $Description)
        }
    }
}
`;

/** The script of each shell, by its name. */
export const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, fish: FISH, powershell: POWERSHELL, zsh: ZSH };
