# `./do install [PREFIX]`: the program, the names by which other programs call a mail server's
# sendmail, the systemd unit with the program's real path, documents and the example configuration.
install(TARGETS postrider RUNTIME DESTINATION bin)
install(FILES README.md LICENSE dist/suspicious.eml DESTINATION share/doc/postrider)
install(FILES src/cli/trace/trace.schema.json DESTINATION share/postrider)
install(FILES postrider.example.yaml DESTINATION share/doc/postrider OPTIONAL)
install(FILES dist/postrider.socket DESTINATION lib/systemd/system)
install(FILES dist/postrider.sysusers DESTINATION lib/sysusers.d RENAME postrider.conf)
install(CODE [[
  set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
  file(MAKE_DIRECTORY "${root}/sbin")
  file(CREATE_LINK ../bin/postrider "${root}/sbin/sendmail" SYMBOLIC)
  file(CREATE_LINK postrider "${root}/bin/mailq" SYMBOLIC)
  file(CREATE_LINK postrider "${root}/bin/newaliases" SYMBOLIC)
  message(STATUS "Installing: ${root}/sbin/sendmail, bin/mailq, bin/newaliases (links)")
]])
install(CODE "set(source \"${PROJECT_SOURCE_DIR}/dist/postrider.service\")")
install(CODE [[
  file(READ "${source}" unit)
  string(REPLACE "/usr/local/" "${CMAKE_INSTALL_PREFIX}/" unit "${unit}")
  set(target "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/systemd/system/postrider.service")
  file(WRITE "${target}" "${unit}")
  message(STATUS "Installing: ${target}")
]])
