-- The groups `viewer` and `operator`.
INSERT INTO auth_group (name) VALUES ('viewer'), ('operator');
INSERT INTO auth_group_permissions (group_id, permission_id)
SELECT auth_group.id, auth_permission.id
FROM auth_group, auth_permission JOIN django_content_type ON django_content_type.id = content_type_id
WHERE app_label = 'discovery' AND (
    codename LIKE 'view_%' AND model <> 'discoveryapikey'
    OR auth_group.name = 'operator'
        AND codename IN ('add_discoveryrun', 'change_discoveryconfig', 'change_discoverywallet')
);
